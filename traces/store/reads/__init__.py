"""What can be asked of one project beyond lists and single traces; `SpanReader` is the door.

Lists and figures of traces read settled rows; questions about spans read `spans`, deduplicated.
"""
