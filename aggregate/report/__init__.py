"""Results for readers: blocks of titles, tables and notes, and charts as matplotlib figures."""
