"""One module or package per operator: its rules, references, finding codes, and what it makes."""
