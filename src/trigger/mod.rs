//! Triggers: a topic's messages become a function's events, and the outcome settles them.
