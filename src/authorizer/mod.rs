//! The merchant's authorizer: wire contract, the client the box uses, the service a merchant runs.
