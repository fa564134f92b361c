package savepoint

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	flatbuffers "github.com/google/flatbuffers/go"
)

// Parts of Arrow's Message.fbs and Schema.fbs: numbers of fields in tables, and of unions.
const (
	messageKind, messageHeader, messageBody        = 1, 2, 3
	batchRowsField, batchNodes, batchBuffers       = 0, 1, 2
	batchCompression                               = 3
	schemaFields, schemaMetadata                   = 1, 2
	fieldKind, fieldDict, fieldKids, fieldMetadata = 2, 4, 5, 6
	headerSchema, headerBatch                      = 1, 3
	maxBatchRows                                   = 1 << 20
	maxDepth                                       = 200
)

// knownKinds are the types (of the union Type) that columns of savepoints have: Null to Timestamp,
// List, Struct, Map.
const knownKinds = 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<8 | 1<<9 | 1<<10 | 1<<12 | 1<<13 | 1<<17

// table is a flatbuffers table. Its methods panic where it points outside of the message.
type table struct{ flatbuffers.Table }

func rootTable(b []byte) table {
	return table{flatbuffers.Table{Bytes: b, Pos: flatbuffers.GetUOffsetT(b)}}
}

// at is the position of a field, 0 when it is not there.
func (t table) at(field int) flatbuffers.UOffsetT {
	o := t.Offset(flatbuffers.VOffsetT(4 + 2*field))
	if o == 0 {
		return 0
	}
	return t.Pos + flatbuffers.UOffsetT(o)
}

func (t table) int64(field int) int64 {
	if at := t.at(field); at != 0 {
		return t.GetInt64(at)
	}
	return 0
}

func (t table) byte(field int) byte {
	if at := t.at(field); at != 0 {
		return t.GetByte(at)
	}
	return 0
}

func (t table) table(field int) (table, bool) {
	at := t.at(field)
	if at == 0 {
		return table{}, false
	}
	return table{flatbuffers.Table{Bytes: t.Bytes, Pos: at + t.GetUOffsetT(at)}}, true
}

// vector is where the elements of a vector of pieces of size bytes lie and how many there are; ok
// is false when they are not all inside of the message.
func (t table) vector(field, size int) (start flatbuffers.UOffsetT, n int, ok bool) {
	o := t.Offset(flatbuffers.VOffsetT(4 + 2*field))
	if o == 0 {
		return 0, 0, true
	}
	start, n = t.Vector(flatbuffers.UOffsetT(o)), t.VectorLen(flatbuffers.UOffsetT(o))
	return start, n, n >= 0 && n <= (len(t.Bytes)-int(start))/size
}

// batchParts counts what a record batch of a schema has: a node for every column and every child of
// one, and their buffers.
type batchParts struct{ nodes, buffers int }

func partsOf(t arrow.DataType) batchParts {
	p := batchParts{1, 2}
	var kids []arrow.Field
	switch t := t.(type) {
	case *arrow.NullType:
		p.buffers = 0
	case *arrow.StringType, *arrow.BinaryType:
		p.buffers = 3
	case *arrow.StructType:
		p.buffers, kids = 1, t.Fields()
	case arrow.NestedType:
		kids = t.Fields()
	}
	for _, f := range kids {
		k := partsOf(f.Type)
		p.nodes, p.buffers = p.nodes+k.nodes, p.buffers+k.buffers
	}
	return p
}

// checkMessage checks every length in the metadata of a message against what there is, left
// bytes of the file behind it, and the number of parts against those of the schema: Arrow's
// reader believes them, reads and allocates. It returns the length of the message's body. It panics
// where the message points outside of itself.
func checkMessage(meta []byte, left int64, want batchParts) (body int64, problem string) {
	msg := rootTable(meta)
	if body = msg.int64(messageBody); body < 0 || body > left {
		return 0, fmt.Sprintf("has a body of %d bytes", body)
	}
	header, ok := msg.table(messageHeader)
	switch kind := msg.byte(messageKind); {
	case ok && kind == headerSchema:
		problem = checkSchema(header)
	case ok && kind == headerBatch:
		problem = checkBatch(header, body, want)
	default:
		problem = fmt.Sprintf("is of kind %d; expected a schema and record batches", kind)
	}
	return body, problem
}

func checkSchema(t table) string {
	// A field takes at least 16 bytes, so more than fit are the same ones again and again.
	left := len(t.Bytes) / 16
	if !checkFields(t, schemaFields, &left, 0) || !checkPairs(t, schemaMetadata) {
		return "holds a schema that makes no sense here"
	}
	return ""
}

func checkFields(t table, field int, left *int, depth int) bool {
	start, n, ok := t.vector(field, 4)
	if !ok || depth > maxDepth || n > *left {
		return false
	}
	*left -= n
	for i := range n {
		at := start + flatbuffers.UOffsetT(4*i)
		f := table{flatbuffers.Table{Bytes: t.Bytes, Pos: at + t.GetUOffsetT(at)}}
		kind := f.byte(fieldKind)
		if kind > 31 || knownKinds>>kind&1 == 0 || f.at(fieldDict) != 0 || !checkPairs(f, fieldMetadata) || !checkFields(f, fieldKids, left, depth+1) {
			return false
		}
	}
	return true
}

// checkPairs checks the number of custom metadata.
func checkPairs(t table, field int) bool {
	_, _, ok := t.vector(field, 4)
	return ok
}

func checkBatch(t table, body int64, want batchParts) string {
	var has batchParts
	if t.at(batchCompression) != 0 {
		return "is compressed, which savepoints are not"
	}
	if n := t.int64(batchRowsField); n < 0 || n > maxBatchRows {
		return fmt.Sprintf("has %d rows, the limit is %d", n, maxBatchRows)
	}
	// A value takes at least a bit of the body, apart from those of type NULL.
	most := 8*body + maxBatchRows
	if !t.structs(batchNodes, func(n, nulls int64) bool {
		has.nodes++
		return n >= 0 && n <= most && nulls >= 0 && nulls <= n
	}) {
		return fmt.Sprintf("has columns that are longer than its body of %d bytes", body)
	}
	sum := int64(0)
	if !t.structs(batchBuffers, func(off, n int64) bool {
		has.buffers++
		if off < 0 || n < 0 || off > body || n > body-off {
			return false
		}
		sum += n
		return sum <= body
	}) {
		return fmt.Sprintf("has buffers outside of its body of %d bytes", body)
	}
	if has != want {
		return fmt.Sprintf("has %d columns and %d buffers, the schema makes %d and %d", has.nodes, has.buffers, want.nodes, want.buffers)
	}
	return ""
}

// structs calls check for the elements, pairs of numbers, of a vector.
func (t table) structs(field int, check func(a, b int64) bool) bool {
	start, n, ok := t.vector(field, 16)
	for i := 0; ok && i < n; i++ {
		at := start + flatbuffers.UOffsetT(16*i)
		ok = check(t.GetInt64(at), t.GetInt64(at+8))
	}
	return ok
}

// messages is an ipc.MessageReader over frames.
type messages struct {
	f   *frames
	msg *ipc.Message
	err error // of the last call; other errors of Arrow's reader are about what a message says
}

func (m *messages) Message() (*ipc.Message, error) {
	m.Release()
	meta, body, err := m.f.next()
	if m.err = err; err != nil {
		return nil, err
	}
	m.msg = ipc.NewMessage(memory.NewBufferBytes(meta), memory.NewBufferBytes(body))
	return m.msg, nil
}

func (m *messages) Retain() {}

// Release lets the last message go.
func (m *messages) Release() {
	if m.msg != nil {
		m.msg.Release()
		m.msg = nil
	}
}
