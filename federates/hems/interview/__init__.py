"""The interview: from a conversation with a householder to the parameters of their home."""
