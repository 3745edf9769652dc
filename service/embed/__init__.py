"""What pages see without JavaScript: the thread as a page or a fragment, its form, and the demo page."""
