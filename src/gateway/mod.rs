//! The gRPC endpoint: wire to domain, one call on the seam, domain to wire.
