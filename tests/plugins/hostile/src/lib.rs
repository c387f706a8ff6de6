//! A plugin that misbehaves as its config says, for the engine tests.
