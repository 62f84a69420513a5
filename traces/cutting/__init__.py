"""What is larger than the limits is cut, never lost: values, lists, whole spans."""
