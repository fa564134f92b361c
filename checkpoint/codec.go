package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// The limits of a manifest.
const (
	MaxManifest  = 64 << 20
	maxFiles     = 1 << 20
	maxOperators = 1 << 16
	maxSplits    = 1 << 20
	maxName      = 1 << 10
	maxGroups    = 1 << 15
	maxRecord    = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// trailer is the last line: the checksum of everything before it.
const trailer = "#crc32c "

// fileName is what names of state files (.stf) and of files of rows in flight (.flt) look like: base names that need no quoting anywhere.
var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*\.(stf|flt)$`)

// Encode checks a manifest and makes its bytes: indented JSON and a line with the checksum.
func Encode(m *Manifest) ([]byte, error) {
	c := *m
	c.Format = Format
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("manifest of checkpoint %d: %w", m.Epoch, err)
	}
	b, err := json.MarshalIndent(&c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("manifest of checkpoint %d: %w", m.Epoch, err)
	}
	b = append(b, '\n')
	return fmt.Appendf(b, "%s%08x\n", trailer, crc32.Checksum(b, castagnoli)), nil
}

// Decode reads a manifest and checks everything that can be checked without its files; path
// is for messages, jobID is the job it must be of ("" for any).
func Decode(b []byte, path, jobID string) (*Manifest, error) {
	m, err := decode(b)
	if err == nil && jobID != "" && m.JobID != jobID {
		err = fmt.Errorf("%w: it is of job %s (%q), expected job %s; to start a job from another job's state take a savepoint", ErrForeign, m.JobID, m.JobName, jobID)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func decode(b []byte) (*Manifest, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: the file is empty", ErrCorrupt)
	}
	if len(b) > MaxManifest {
		return nil, fmt.Errorf("%w: it has %d bytes, the limit is %d", ErrCorrupt, len(b), MaxManifest)
	}
	at := bytes.LastIndexByte(b[:len(b)-1], '\n') + 1
	body, last := b[:at], string(b[at:])
	if want := fmt.Sprintf("%s%08x\n", trailer, crc32.Checksum(body, castagnoli)); last != want {
		if !strings.HasPrefix(last, trailer) {
			return nil, fmt.Errorf("%w: its last line is no checksum: it is cut, or no manifest of sqlstream", ErrCorrupt)
		}
		return nil, fmt.Errorf("%w: its last line is %.40q, its content has %.40q", ErrCorrupt, last, want)
	}
	return parse(body)
}

// parse reads and checks the JSON of a manifest.
func parse(body []byte) (*Manifest, error) {
	var v struct {
		Format int    `json:"format"`
		Engine string `json:"engine"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if v.Format != Format {
		return nil, fmt.Errorf("%w: it was written by sqlstream %.40s in manifest format %d; this program reads format %d", ErrVersion, v.Engine, v.Format, Format)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	m := &Manifest{}
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if d.More() {
		return nil, fmt.Errorf("%w: there is something after the JSON object", ErrCorrupt)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	for _, s := range m.Sources {
		for i := range s.Splits {
			s.Splits[i].Position = compact(s.Splits[i].Position)
		}
	}
	for i := range m.Transactions {
		m.Transactions[i].Token = compact(m.Transactions[i].Token)
	}
	return m, nil
}

// compact undoes the indenting of what is not ours.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// check tells what makes no sense in a manifest.
func (m *Manifest) check() error {
	switch {
	case !validID(m.JobID):
		return fmt.Errorf("job id %.80q is not 32 hexadecimal digits", m.JobID)
	case m.Epoch == 0:
		return fmt.Errorf("epoch 0 is none")
	case m.Previous >= m.Epoch:
		return fmt.Errorf("the previous checkpoint %d is not before %d", m.Previous, m.Epoch)
	case m.Kind != Checkpoint && m.Kind != Savepoint:
		return fmt.Errorf("kind %.40q, expected %s or %s", m.Kind, Checkpoint, Savepoint)
	case m.MaxParallelism < 1 || m.MaxParallelism > maxGroups:
		return fmt.Errorf("max parallelism %d, expected 1 to %d", m.MaxParallelism, maxGroups)
	case len(m.Channels) > maxFiles:
		return fmt.Errorf("%d files of rows in flight, more than the limit %d", len(m.Channels), maxFiles)
	case len(m.Files) > maxFiles || len(m.Operators) > maxOperators || len(m.Sources) > maxOperators || len(m.Transactions) > maxOperators:
		return fmt.Errorf("%d files, %d operators, %d sources, %d transactions: more than the limits %d and %d",
			len(m.Files), len(m.Operators), len(m.Sources), len(m.Transactions), maxFiles, maxOperators)
	}
	if err := m.checkOperators(); err != nil {
		return err
	}
	return m.checkFiles()
}

func (m *Manifest) checkOperators() error {
	seen := names{}
	uids := make([]string, 0, len(m.Operators))
	for _, o := range m.Operators {
		if err := seen.add("operator", o.UID); err != nil {
			return err
		}
		uids = append(uids, o.UID)
		if o.Parallelism < 1 || o.Parallelism > m.MaxParallelism {
			return fmt.Errorf("operator %s has parallelism %d, expected 1 to %d", o.UID, o.Parallelism, m.MaxParallelism)
		}
		ids := map[uint8]bool{}
		for _, t := range o.Tables {
			if ids[t.ID] {
				return fmt.Errorf("operator %s has table %d twice", o.UID, t.ID)
			}
			ids[t.ID] = true
			if err := t.check(); err != nil {
				return fmt.Errorf("operator %s, table %d: %w", o.UID, t.ID, err)
			}
		}
	}
	if err := stf.Unique(uids); err != nil {
		return err
	}
	splits := 0
	for _, s := range m.Sources {
		if err := seen.add("source", s.UID); err != nil {
			return err
		}
		if splits += len(s.Splits); splits > maxSplits {
			return fmt.Errorf("more than %d splits", maxSplits)
		}
		ids := names{}
		for _, p := range s.Splits {
			if err := ids.add("split", p.ID); err != nil {
				return fmt.Errorf("source %s: %w", s.UID, err)
			}
			if !json.Valid(p.Position) {
				return fmt.Errorf("source %s: the position of split %s is not JSON", s.UID, p.ID)
			}
		}
	}
	for _, t := range m.Transactions {
		if err := seen.add("transaction", t.Name); err != nil {
			return err
		}
		if !json.Valid(t.Token) {
			return fmt.Errorf("the token of transaction %s is not JSON", t.Name)
		}
	}
	return nil
}

// check tells what makes no sense in a table's schema.
func (t *Table) check() error {
	if t.Size < 0 || t.Size > maxRecord || t.Prefix < 0 || t.Prefix > maxName {
		return fmt.Errorf("records of %d bytes behind a prefix of %d, expected at most %d and %d", t.Size, t.Prefix, maxRecord, maxName)
	}
	for _, s := range t.Slots {
		if s.Offset < 0 || s.Size < 0 || s.Offset > t.Size || s.Size > t.Size-s.Offset || s.Bit < 0 || s.Bit > 7 {
			return fmt.Errorf("slot %.80q has %d bytes at %d of %d", s.Name, s.Size, s.Offset, t.Size)
		}
		for _, f := range s.Fields {
			if f.Offset < 0 || f.Offset >= s.Size {
				return fmt.Errorf("slot %.80q has a field at %d of its %d bytes", s.Name, f.Offset, s.Size)
			}
		}
	}
	return nil
}

func (m *Manifest) checkFiles() error {
	seen := names{}
	for _, f := range m.Files {
		if err := seen.add("file", f.Name); err != nil {
			return err
		}
		switch {
		case !fileName.MatchString(f.Name) || !strings.HasSuffix(f.Name, stateSuffix):
			return fmt.Errorf("file name %.80q is not a plain name that ends in .stf", f.Name)
		case f.Kind != stf.Delta && f.Kind != stf.Full:
			return fmt.Errorf("file %s is of kind %.40q, expected %s or %s", f.Name, f.Kind, stf.Delta, stf.Full)
		case f.KeyLo >= f.KeyHi || int(f.KeyHi) > m.MaxParallelism:
			return fmt.Errorf("file %s has key groups [%d, %d) of %d", f.Name, f.KeyLo, f.KeyHi, m.MaxParallelism)
		case f.MinEpoch > f.MaxEpoch || f.MaxEpoch > m.Epoch:
			return fmt.Errorf("file %s has epochs %d to %d in checkpoint %d", f.Name, f.MinEpoch, f.MaxEpoch, m.Epoch)
		case f.Size <= 0 || f.Entries < 0:
			return fmt.Errorf("file %s has %d bytes and %d entries", f.Name, f.Size, f.Entries)
		}
		var n int64
		for _, t := range f.Tables {
			if t.Entries < 0 || t.Bytes < 0 || t.Entries > f.Entries-n {
				return fmt.Errorf("file %s has %d entries, fewer than its tables", f.Name, f.Entries)
			}
			n += t.Entries
		}
		if n != f.Entries {
			return fmt.Errorf("file %s has %d entries, its tables %d", f.Name, f.Entries, n)
		}
	}
	for _, c := range m.Channels {
		if err := seen.add("file", c.Name); err != nil {
			return err
		}
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

// names finds what is there twice.
type names map[string]bool

func (n names) add(what, name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("a %s has the name %.40q; expected 1 to %d bytes", what, name, maxName)
	}
	if key := what + "\x00" + name; n[key] {
		return fmt.Errorf("%s %q is listed twice", what, name)
	} else {
		n[key] = true
	}
	return nil
}

// Publish makes the manifest durable in s: from then on the checkpoint is decided.
func Publish(s Storage, m *Manifest) error {
	b, err := Encode(m)
	if err != nil {
		return err
	}
	return s.Put(m.Epoch, b)
}

// Read reads and checks the manifest of an epoch.
func Read(s Storage, e state.Epoch, jobID string) (*Manifest, error) {
	b, err := s.Get(e)
	if err != nil {
		return nil, err
	}
	m, err := Decode(b, manifestPath(s, e), jobID)
	if err == nil && m.Epoch != e {
		err = fmt.Errorf("%s: %w: it says it is checkpoint %d", manifestPath(s, e), ErrCorrupt, m.Epoch)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

func manifestPath(s Storage, e state.Epoch) string {
	return fmt.Sprintf("%s/%s", s.Location(), manifestName(e))
}
