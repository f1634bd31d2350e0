"""What runs outside a request: arq functions and their timetable."""
