//! Payment keys and charge attempts, persisted.
