//! Packs the data of a module: its tables and texts come compressed, and are put in place when the module starts.
//!
//! A third of the filter is data, which compresses to a third. The code cannot be packed: an engine has to see it.
//! The packed bytes and the decoder's memory lie where the stack will be, so that a module needs no more memory than
//! before; the stack begins at address 0 and ends where the data begins, as the linker lays it out.

mod coder;
mod unpacker;

use std::fmt;
use std::ops::Range;
use unpacker::Places;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, FunctionSection, Module, RawSection, SectionId, StartSection, TypeSection,
    ValType,
};
use wasmparser::{BinaryReaderError, DataKind, Operator, Parser, Payload};

/// Why a module was not packed.
#[derive(Debug)]
pub(crate) enum PackError {
    /// It is no module that can be read.
    Module(BinaryReaderError),
    /// It cannot be written.
    Write(String),
    /// Its data is not as the linker lays it out.
    Layout(&'static str),
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(error) => write!(f, "the module cannot be read: {error}"),
            Self::Write(error) => write!(f, "the packed module cannot be written: {error}"),
            Self::Layout(what) => write!(f, "its data cannot be packed: {what}; link it with the stack first"),
        }
    }
}

impl From<BinaryReaderError> for PackError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Module(error)
    }
}

/// The data of a module in one piece, and the address of its first byte.
struct Image {
    address: u32,
    bytes: Vec<u8>,
}

impl Image {
    fn of(module: &[u8]) -> Result<Self, PackError> {
        let mut image = Self { address: 0, bytes: Vec::new() };
        for payload in Parser::new(0).parse_all(module) {
            let Payload::DataSection(section) = payload? else { continue };
            for segment in section {
                let segment = segment?;
                let DataKind::Active { memory_index: 0, offset_expr } = segment.kind else {
                    return Err(PackError::Layout("it is not put into the memory at the start"));
                };
                let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
                    return Err(PackError::Layout("an address is not constant"));
                };
                let address = u32::from_ne_bytes(value.to_ne_bytes());
                if image.bytes.is_empty() {
                    image.address = address;
                }
                let place = address.checked_sub(image.address).and_then(|place| usize::try_from(place).ok());
                let place = place.filter(|place| *place >= image.bytes.len());
                image.bytes.resize(place.ok_or(PackError::Layout("its pieces are not in order"))?, 0);
                image.bytes.extend_from_slice(segment.data);
            }
        }
        Ok(image)
    }
}

/// The module with its data packed. It starts with the same memory as before.
///
/// # Errors
/// The module cannot be read, or its data is laid out in another way.
pub(crate) fn pack(module: &[u8]) -> Result<Vec<u8>, PackError> {
    let image = Image::of(module)?;
    let packed = coder::pack(&image.bytes);
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| PackError::Layout("it is too large"));
    let end = image.address.checked_add(length(&image.bytes)?).ok_or(PackError::Layout("it is too large"))?;
    let places = Places { packed: length(&packed)?, data: image.address, end };
    if places.used() > u64::from(image.address) {
        return Err(PackError::Layout("the memory before it is too small to unpack it in"));
    }
    let mut out = Module::new();
    let (mut imported, mut types, mut functions, mut code) = (0, 0, 0, CodeSection::new());
    let write = |error: wasm_encoder::reencode::Error| PackError::Write(error.to_string());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(section) => {
                let mut all = TypeSection::new();
                RoundtripReencoder.parse_type_section(&mut all, section).map_err(write)?;
                types = all.len();
                all.ty().function([ValType::I32], [ValType::I32]);
                all.ty().function([], []);
                out.section(&all);
            }
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    imported += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                }
                out.section(&RawSection { id: SectionId::Import.into(), data: bytes(module, section.range()) });
            }
            Payload::FunctionSection(section) => {
                let mut all = FunctionSection::new();
                RoundtripReencoder.parse_function_section(&mut all, section).map_err(write)?;
                functions = imported + all.len();
                all.function(types).function(types).function(types + 1);
                out.section(&all);
            }
            Payload::ElementSection(section) => {
                out.section(&StartSection { function_index: functions + 2 });
                out.section(&RawSection { id: SectionId::Element.into(), data: bytes(module, section.range()) });
            }
            Payload::StartSection { .. } => return Err(PackError::Layout("the module has a start of its own")),
            Payload::DataCountSection { .. } => {
                out.section(&wasm_encoder::DataCountSection { count: 1 });
            }
            Payload::CodeSectionEntry(body) => {
                code.raw(body.as_bytes());
            }
            Payload::DataSection(_) => {
                code.function(&unpacker::bit(places)).function(&unpacker::number(functions));
                code.function(&unpacker::unpack(places, functions, functions + 1));
                out.section(&code);
                let mut data = DataSection::new();
                data.active(0, &ConstExpr::i32_const(0), packed.iter().copied());
                out.section(&data);
            }
            payload => {
                if let Some((id, range)) = payload.as_section().filter(|(id, _)| *id != u8::from(SectionId::Code)) {
                    out.section(&RawSection { id, data: bytes(module, range) });
                }
            }
        }
    }
    Ok(out.finish())
}

fn bytes(module: &[u8], range: Range<u64>) -> &[u8] {
    let place = |at| usize::try_from(at).unwrap_or(usize::MAX);
    module.get(place(range.start)..place(range.end)).unwrap_or_default()
}
