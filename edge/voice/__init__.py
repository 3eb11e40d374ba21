"""Voices: speech detection, windows, log-mel, emotion."""
