"""What a project lets in: rules that drop spans, and how much may come in a second and a day."""
