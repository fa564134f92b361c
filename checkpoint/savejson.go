package checkpoint

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"regexp"

	"github.com/sqlstream/sqlstream/state/stf"
)

// The last bytes of a savepoint's manifest are `"crc32c": "`, eight hexadecimal digits and
// `"\n}\n`: its last member is the CRC32C of all bytes before these.
const (
	sumBefore = `"crc32c": "`
	sumAfter  = "\"\n}\n"
	sumLen    = len(sumBefore) + 8 + len(sumAfter)
	sumComma  = ",\n  " // what stands between the member before it and sumBefore
)

// rowFileName is what names of the files of canonical savepoints look like.
var rowFileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*\.arrow$`)

// EncodeSavepoint checks the manifest of a savepoint and makes the bytes of its manifest.json:
// one JSON object, so that any program reads it.
func EncodeSavepoint(m *Manifest) ([]byte, error) {
	c := *m
	c.Format = Format
	err := c.check()
	if err == nil {
		err = c.checkSavepoint()
	}
	if err != nil {
		return nil, fmt.Errorf("manifest of savepoint %d: %w", m.Epoch, err)
	}
	b, err := json.MarshalIndent(&c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("manifest of savepoint %d: %w", m.Epoch, err)
	}
	b = append(b[:len(b)-len("\n}")], sumComma...)
	return fmt.Appendf(b, "%s%08x%s", sumBefore, crc32.Checksum(b, castagnoli), sumAfter), nil
}

// DecodeSavepoint reads the bytes of a manifest.json and checks everything that can be checked
// without the other files; path is for messages.
func DecodeSavepoint(b []byte, path string) (*Manifest, error) {
	m, err := decodeSavepoint(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func decodeSavepoint(b []byte) (*Manifest, error) {
	if len(b) > MaxManifest {
		return nil, fmt.Errorf("%w: it has %d bytes, the limit is %d", ErrCorrupt, len(b), MaxManifest)
	}
	at := len(b) - sumLen
	if at < len(sumComma) || string(b[at:][:len(sumBefore)]) != sumBefore || string(b[len(b)-len(sumAfter):]) != sumAfter || string(b[at-len(sumComma):at]) != sumComma {
		return nil, fmt.Errorf("%w: its last member is no \"crc32c\": it is cut, was edited, or is no manifest of a savepoint of sqlstream", ErrCorrupt)
	}
	want := fmt.Sprintf("%08x", crc32.Checksum(b[:at], castagnoli))
	if got := string(b[at+len(sumBefore):][:8]); got != want {
		return nil, fmt.Errorf("%w: its \"crc32c\" is %q, its content has %q", ErrCorrupt, got, want)
	}
	m, err := parse(append(b[:at-len(sumComma):at-len(sumComma)], "\n}\n"...))
	if err != nil {
		return nil, err
	}
	if err := m.checkSavepoint(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return m, nil
}

// checkSavepoint tells what makes no sense in the manifest of a savepoint, after check.
func (m *Manifest) checkSavepoint() error {
	switch {
	case m.Kind != Savepoint:
		return fmt.Errorf("kind %.40q, expected %s", m.Kind, Savepoint)
	case m.Layout != Canonical && m.Layout != Native:
		return fmt.Errorf("layout %.40q, expected %s or %s", m.Layout, Canonical, Native)
	case m.Previous != 0 || len(m.Transactions) > 0 || len(m.Channels) > 0:
		return fmt.Errorf("it names a previous checkpoint, transactions or rows in flight; a savepoint stands alone")
	case m.Layout == Canonical && len(m.Files) > 0 || m.Layout == Native && len(m.Rows) > 0:
		return fmt.Errorf("it is %s but lists files of the other layout", m.Layout)
	}
	for _, f := range m.Files {
		if f.Kind != stf.Full {
			return fmt.Errorf("file %s is of kind %.40q; a savepoint has %s files only", f.Name, f.Kind, stf.Full)
		}
	}
	type key struct {
		uid string
		id  uint8
	}
	left := map[key]bool{}
	for _, o := range m.Operators {
		for _, t := range o.Tables {
			left[key{o.UID, t.ID}] = true
		}
	}
	seen := names{}
	for _, f := range m.Rows {
		if err := seen.add("file", f.Name); err != nil {
			return err
		}
		switch {
		case !rowFileName.MatchString(f.Name) || CheckPlaceName(f.Name) != nil:
			return fmt.Errorf("file name %.80q is not a plain name that ends in .arrow", f.Name)
		case !left[key{f.UID, f.Table}]:
			return fmt.Errorf("file %s is of table %d of operator %.80q, which the plan does not have or another file holds", f.Name, f.Table, f.UID)
		case f.Size <= 0 || f.Rows <= 0:
			return fmt.Errorf("file %s has %d bytes and %d rows", f.Name, f.Size, f.Rows)
		}
		delete(left, key{f.UID, f.Table})
	}
	return nil
}

// Table returns the schema of a table of an operator, nil when the plan has none.
func (m *Manifest) Table(uid string, id uint8) *Table {
	o := m.Operator(uid)
	if o == nil {
		return nil
	}
	for i := range o.Tables {
		if o.Tables[i].ID == id {
			return &o.Tables[i]
		}
	}
	return nil
}
