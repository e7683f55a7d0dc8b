//! The messages and entries of code allocation.

use prost::Message;

/// Most codes in a block.
pub const CODE_BLOCK_MAX: u32 = 8_000;

/// A municipality asks for its next block. Asking twice for the same number gives the same block.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CodeRequest {
    /// The municipality, as five digits.
    #[prost(uint32, tag = "1")]
    pub municipality: u32,
    /// The number of the block, rising by one from 1.
    #[prost(uint32, tag = "2")]
    pub number: u32,
    /// How many codes.
    #[prost(uint32, tag = "3")]
    pub count: u32,
}

/// A block of codes, on its way down and in the ledgers it passes.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct CodeBlock {
    /// The municipality, as five digits.
    #[prost(uint32, tag = "1")]
    pub municipality: u32,
    /// The number of the block.
    #[prost(uint32, tag = "2")]
    pub number: u32,
    /// The codes, eleven digits each, one behind the other.
    #[prost(bytes = "vec", tag = "3")]
    pub codes: Vec<u8>,
    /// The code of a refusal; then there are no codes.
    #[prost(string, tag = "4")]
    pub refusal: String,
}

/// What the national center keeps of a block: the run of its counter.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Allocation {
    #[prost(uint32, tag = "1")]
    pub(crate) municipality: u32,
    #[prost(uint32, tag = "2")]
    pub(crate) number: u32,
    #[prost(uint32, tag = "3")]
    pub(crate) start: u32,
    #[prost(uint32, tag = "4")]
    pub(crate) count: u32,
}
