"""The board, the status and the rest of the API with many incidents."""
