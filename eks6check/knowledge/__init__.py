"""What is known of the world outside: data files, each with its source and date, and their readers."""
