"""ACB/ToolOperation-v0: mail, calendar, spreadsheets and tickets, operated until they are as they were asked to be."""
