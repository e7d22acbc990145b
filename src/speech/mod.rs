//! Spoken prompts: clips, numbers and amounts in words.
