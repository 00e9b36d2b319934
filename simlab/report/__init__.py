"""Pages and files for readers who have no simlab: HTML, JUnit and Markdown, from what a study found."""
