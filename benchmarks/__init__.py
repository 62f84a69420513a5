"""Speed of the running product, as figures beside something that runs on the same machine."""
