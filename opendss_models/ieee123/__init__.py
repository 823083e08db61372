"""The files of the IEEE 123-bus feeder; a package so that they ship in the wheel."""
