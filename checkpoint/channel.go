package checkpoint

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/sqlstream/sqlstream/state"
)

// Channel is a file of rows in flight: those that a barrier had overtaken on their way into one
// subtask of an operator. It belongs to one checkpoint alone and goes with it. What is in it is
// the business of exec/inflight.
type Channel struct {
	UID         string `json:"uid"` // of the operator whose input they are, or of the source that had read them
	Port        int    `json:"port,omitempty"`
	Subtask     int    `json:"subtask"`
	Parallelism int    `json:"parallelism"`
	Split       string `json:"split,omitempty"` // of a source
	Name        string `json:"name"`            // base name
	Size        int64  `json:"size"`
	CRC32C      uint32 `json:"crc32c"` // of the whole file
	Rows        int64  `json:"rows"`
}

const (
	stateSuffix   = ".stf"
	channelSuffix = ".flt"
	maxChannel    = 1 << 31 // bytes of one file
)

// WriteChannel writes the rows of c and returns it with the description of the file, which is
// durable.
func WriteChannel(dst state.Files, e state.Epoch, c Channel, data []byte) (Channel, error) {
	var id [8]byte
	rand.Read(id[:]) // never fails (crypto/rand)
	c.Name = fmt.Sprintf("%010d-%s%s", e, hex.EncodeToString(id[:]), channelSuffix)
	c.Size, c.CRC32C = int64(len(data)), crc32.Checksum(data, castagnoli)
	w, err := dst.Create(c.Name)
	if err != nil {
		return c, err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return c, err
	}
	return c, w.Commit()
}

// ReadChannel reads the rows of c and checks them.
func ReadChannel(src state.Files, c Channel) ([]byte, error) {
	r, err := openChannel(src, c)
	if err != nil {
		return nil, err
	}
	data := make([]byte, c.Size)
	n, err := r.ReadAt(data, 0)
	if n == len(data) {
		err = nil
	}
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	if sum := crc32.Checksum(data, castagnoli); sum != c.CRC32C {
		return nil, fmt.Errorf("%s: %w: its checksum is %08x, the manifest says %08x", c.Name, ErrCorrupt, sum, c.CRC32C)
	}
	return data, nil
}

// openChannel opens a file that has the length the manifest says.
func openChannel(src state.Files, c Channel) (state.FileReader, error) {
	r, err := src.Open(c.Name)
	if err != nil {
		return nil, err
	}
	if r.Size() != c.Size {
		err := fmt.Errorf("%s: %w: it has %d bytes, the manifest says %d", c.Name, ErrCorrupt, r.Size(), c.Size)
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func verifyChannel(s Storage, c Channel, whole bool) error {
	if whole {
		_, err := ReadChannel(s, c)
		return err
	}
	r, err := openChannel(s, c)
	if err != nil {
		return err
	}
	return r.Close()
}

// check tells what makes no sense.
func (c *Channel) check() error {
	switch {
	case !fileName.MatchString(c.Name) || !strings.HasSuffix(c.Name, channelSuffix):
		return fmt.Errorf("file name %.80q is not a plain name that ends in %s", c.Name, channelSuffix)
	case c.UID == "" || len(c.UID) > maxName || len(c.Split) > maxName:
		return fmt.Errorf("file %s is of the operator %.40q and the split %.40q; expected names of 1 to %d bytes", c.Name, c.UID, c.Split, maxName)
	case c.Port < 0 || c.Port > maxOperators || c.Parallelism < 1 || c.Parallelism > maxGroups || c.Subtask < 0 || c.Subtask >= c.Parallelism:
		return fmt.Errorf("file %s is of input %d of subtask %d of %d", c.Name, c.Port, c.Subtask, c.Parallelism)
	case c.Size <= 0 || c.Size > maxChannel || c.Rows <= 0:
		return fmt.Errorf("file %s has %d bytes and %d rows", c.Name, c.Size, c.Rows)
	}
	return nil
}

// InFlight sums up the rows in flight and the bytes of their files.
func (m *Manifest) InFlight() (rows, bytes int64) {
	for _, c := range m.Channels {
		rows, bytes = rows+c.Rows, bytes+c.Size
	}
	return rows, bytes
}

// inFlight is what was in flight to one operator.
type inFlight struct {
	Channel
	name     string
	subtasks int
}

// inFlightTo sums up the rows in flight by operator.
func (m *Manifest) inFlightTo() []inFlight {
	var out []inFlight
	at := map[string]int{}
	subtasks := map[string]map[int]bool{}
	for _, c := range m.Channels {
		i, ok := at[c.UID]
		if !ok {
			i = len(out)
			at[c.UID], subtasks[c.UID] = i, map[int]bool{}
			out = append(out, inFlight{Channel: Channel{UID: c.UID}})
			if o := m.Operator(c.UID); o != nil {
				out[i].name = o.Name
			}
		}
		out[i].Rows += c.Rows
		out[i].Size += c.Size
		subtasks[c.UID][c.Subtask] = true
		out[i].subtasks = len(subtasks[c.UID])
	}
	return out
}

// FileNames lists all files that the manifest refers to.
func (m *Manifest) FileNames() []string {
	names := make([]string, 0, len(m.Files)+len(m.Channels))
	for _, f := range m.Files {
		names = append(names, f.Name)
	}
	for _, c := range m.Channels {
		names = append(names, c.Name)
	}
	return names
}
