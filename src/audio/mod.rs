//! Samples and files: WAV and other formats, resampling, recording.
