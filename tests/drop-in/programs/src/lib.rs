//! Programs written against `sentry`, each with one of its integrations.
