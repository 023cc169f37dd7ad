"""Block lists: for each recipient, the confirmed wasters of bandwidth that the tracker gave it as peers."""
