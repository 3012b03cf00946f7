"""The journal: answers on disk that wait for a flush."""
