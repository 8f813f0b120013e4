//! Where randomness comes from: the operating system, or a seed in tests.

use std::sync::Mutex;

use aws_lc_rs::{digest, rand};

/// Fills buffers with unpredictable bytes.
pub trait Entropy: Send + Sync {
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        rand::fill(buffer).expect("the operating system gives randomness");
    }
}

/// The same bytes in every run; for tests alone.
#[derive(Debug)]
pub struct SeededEntropy {
    state: Mutex<(u64, u64)>,
}

impl SeededEntropy {
    pub fn new(seed: u64) -> Self {
        Self {
            state: Mutex::new((seed, 0)),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in buffer.chunks_mut(32) {
            let mut context = digest::Context::new(&digest::SHA256);
            context.update(&state.0.to_be_bytes());
            context.update(&state.1.to_be_bytes());
            state.1 += 1;
            let block = context.finish();
            for (to, from) in chunk.iter_mut().zip(block.as_ref()) {
                *to = *from;
            }
        }
    }
}
