"""Faces: detect, track, crop, emotion."""
