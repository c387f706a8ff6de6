//! The decoder of [`super::coder`], as functions of WebAssembly.
//!
//! They run once, when the module starts, before anything else of it does. They work in the memory that is the stack
//! afterwards: there lie the packed bytes, and behind them what the decoder keeps.

use super::coder::{DISTANCE, HALF, IS_MATCH, IS_REPEATED, LENGTH, LITERAL, PROBABILITIES};
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, MemArgTarget, ValType};

/// Where things lie in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// The end of the packed bytes, which begin at 0. What the decoder keeps comes behind, aligned.
    pub(super) packed: u32,
    /// Where the data belongs.
    pub(super) data: u32,
    /// Where the data ends.
    pub(super) end: u32,
}

impl Places {
    /// The decoder's next byte, range, and code, of 32 bits each.
    fn next(self) -> u64 {
        u64::from(self.packed.next_multiple_of(16))
    }

    fn range(self) -> u64 {
        self.next() + 4
    }

    fn code(self) -> u64 {
        self.next() + 8
    }

    /// The probabilities, of 16 bits each.
    fn chances(self) -> u64 {
        self.next() + 16
    }

    /// The end of what the decoder uses.
    pub(super) fn used(self) -> u64 {
        self.chances() + 2 * u64::from(PROBABILITIES)
    }
}

fn at(offset: u64, align: u32) -> MemArg {
    MemArg { offset, align, target: MemArgTarget::Memory(0), ordering: None }
}

fn constant(number: u32) -> i32 {
    i32::from_ne_bytes(number.to_ne_bytes())
}

/// Takes in one more byte: `code = code << 8 | *next; next += 1`.
fn take_byte(code: &mut InstructionSink<'_>, places: Places) {
    code.i32_const(0).i32_const(0).i32_load(at(places.code(), 2)).i32_const(8).i32_shl();
    code.i32_const(0).i32_load(at(places.next(), 2)).i32_load8_u(at(0, 0)).i32_or().i32_store(at(places.code(), 2));
    code.i32_const(0).i32_const(0).i32_load(at(places.next(), 2)).i32_const(1).i32_add();
    code.i32_store(at(places.next(), 2));
}

/// `(context) -> bit`: the next bit, whose probability is that of the context.
pub(super) fn bit(places: Places) -> Function {
    let mut function = Function::new([(4, ValType::I32)]);
    let (context, chance, range, bound, bit) = (0, 1, 2, 3, 4);
    let chances = at(places.chances(), 1);
    let mut code = function.instructions();
    code.local_get(context).i32_const(1).i32_shl().local_tee(context).i32_load16_u(chances).local_set(chance);
    code.i32_const(0).i32_load(at(places.range(), 2)).local_tee(range);
    code.i32_const(11).i32_shr_u().local_get(chance).i32_mul().local_set(bound);
    code.i32_const(0).i32_load(at(places.code(), 2)).local_get(bound).i32_lt_u().if_(BlockType::Empty);
    // 0: the probability of it rises.
    code.local_get(context).local_get(chance).i32_const(1 << 11).local_get(chance).i32_sub();
    code.i32_const(5).i32_shr_u().i32_add().i32_store16(chances);
    code.local_get(bound).local_set(range);
    code.else_();
    // 1: it falls.
    code.i32_const(1).local_set(bit);
    code.local_get(context).local_get(chance).local_get(chance).i32_const(5).i32_shr_u().i32_sub().i32_store16(chances);
    code.i32_const(0).i32_const(0).i32_load(at(places.code(), 2)).local_get(bound).i32_sub();
    code.i32_store(at(places.code(), 2));
    code.local_get(range).local_get(bound).i32_sub().local_set(range);
    code.end();
    code.loop_(BlockType::Empty);
    code.local_get(range).i32_const(1 << 24).i32_lt_u().if_(BlockType::Empty);
    code.local_get(range).i32_const(8).i32_shl().local_set(range);
    take_byte(&mut code, places);
    code.br(1).end().end();
    code.i32_const(0).local_get(range).i32_store(at(places.range(), 2));
    code.local_get(bit).end();
    function
}

/// `(context) -> number`: the next number, by the function that gives bits.
pub(super) fn number(bit: u32) -> Function {
    let mut function = Function::new([(2, ValType::I32)]);
    let (context, bits, number) = (0, 1, 2);
    let mut code = function.instructions();
    code.loop_(BlockType::Empty);
    code.local_get(context).local_get(bits).i32_add().call(bit).if_(BlockType::Empty);
    code.local_get(bits).i32_const(1).i32_add().local_set(bits).br(1).end().end();
    code.local_get(context).i32_const(32).i32_add().local_get(bits).i32_const(5).i32_shl().i32_add().local_set(context);
    code.i32_const(1).local_set(number);
    code.block(BlockType::Empty).loop_(BlockType::Empty);
    code.local_get(bits).i32_eqz().br_if(1);
    code.local_get(number).i32_const(1).i32_shl();
    code.local_get(context).local_get(bits).i32_const(1).i32_sub().local_tee(bits).i32_add().call(bit);
    code.i32_or().local_set(number).br(0).end().end();
    code.local_get(number).end();
    function
}

/// `()`: puts the data where it belongs.
pub(super) fn unpack(places: Places, bit: u32, number: u32) -> Function {
    let mut function = Function::new([(6, ValType::I32)]);
    let (to, distance, after_match, length, node, context) = (0, 1, 2, 3, 4, 5);
    let mut code = function.instructions();
    // Every probability is a half, the range is all, and the code is the first four bytes.
    code.loop_(BlockType::Empty);
    code.local_get(to).i32_const(i32::from(HALF)).i32_store16(at(places.chances(), 1));
    code.local_get(to).i32_const(2).i32_add().local_tee(to).i32_const(constant(2 * PROBABILITIES)).i32_lt_u();
    code.br_if(0).end();
    code.i32_const(0).i32_const(-1).i32_store(at(places.range(), 2));
    code.i32_const(0).i32_const(0).i32_load(at(0, 0)).i32_store(at(places.code(), 2));
    (0..4).for_each(|_| take_byte(&mut code, places));
    code.i32_const(constant(places.data)).local_set(to);
    code.block(BlockType::Empty).loop_(BlockType::Empty);
    code.local_get(to).i32_const(constant(places.end)).i32_ge_u().br_if(1);
    code.local_get(after_match).i32_const(constant(IS_MATCH)).i32_add().call(bit).if_(BlockType::Empty);
    // A match: the bytes from a distance, which may reach into the bytes that it gives.
    code.local_get(after_match).i32_const(constant(IS_REPEATED)).i32_add().call(bit).i32_eqz().if_(BlockType::Empty);
    code.i32_const(constant(DISTANCE)).call(number).local_set(distance).end();
    code.i32_const(constant(LENGTH)).call(number).i32_const(1).i32_add().local_set(length);
    code.i32_const(1).local_set(after_match);
    code.loop_(BlockType::Empty);
    code.local_get(to).local_get(to).local_get(distance).i32_sub().i32_load8_u(at(0, 0)).i32_store8(at(0, 0));
    code.local_get(to).i32_const(1).i32_add().local_set(to);
    code.local_get(length).i32_const(1).i32_sub().local_tee(length).br_if(0).end();
    code.else_();
    // A literal: its bits from the highest on, by the place in a word and the byte before.
    code.i32_const(1).local_set(node);
    code.local_get(to).i32_const(constant(places.data)).i32_sub().i32_const(3).i32_and().i32_const(3).i32_shl();
    code.i32_const(0);
    code.local_get(to).i32_const(1).i32_sub().i32_load8_u(at(0, 0)).i32_const(5).i32_shr_u();
    code.local_get(to).i32_const(constant(places.data)).i32_eq().select();
    code.i32_or().i32_const(8).i32_shl().i32_const(constant(LITERAL)).i32_add().local_set(context);
    code.loop_(BlockType::Empty);
    code.local_get(node).i32_const(1).i32_shl().local_get(context).local_get(node).i32_add().call(bit).i32_or();
    code.local_tee(node).i32_const(256).i32_lt_u().br_if(0).end();
    code.local_get(to).local_get(node).i32_store8(at(0, 0));
    code.local_get(to).i32_const(1).i32_add().local_set(to);
    code.i32_const(0).local_set(after_match);
    code.end();
    code.br(0).end().end().end();
    function
}
