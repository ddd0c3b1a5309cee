"""The benchmark: files of predictions, their scores, and a leaderboard whose ranks carry their uncertainty."""
