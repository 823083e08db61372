"""Language models behind one small protocol: live, replayed, scripted."""
