"""What Menwei manages on this machine, as ratios to a floor measured in the same run."""
