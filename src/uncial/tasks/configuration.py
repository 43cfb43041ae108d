"""From the composed config to the settings that the parts of the program ask for."""
