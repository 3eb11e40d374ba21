"""When lessons begin and end: by timetable, by what goes on in the room, and by command."""
