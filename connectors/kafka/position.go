package kafka

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/sqlstream/sqlstream/exec"
)

// position is the state of one partition in a checkpoint.
type position struct {
	Topic       string `json:"topic"`
	TopicID     string `json:"topicId,omitempty"` // hexadecimal; "" when the broker has none
	Partition   int32  `json:"partition"`
	Next        int64  `json:"next"`        // offset of the next record to read; see the constants
	LeaderEpoch int32  `json:"leaderEpoch"` // of the last record read, -1 unknown: finds truncations
	Stop        int64  `json:"stop"`        // first offset not read, -1 for never
}

const (
	nextEarliest = -2 // the partition's first record, found out when the split is assigned
	nextMissing  = -3 // the group has no offset for the partition: an error when it is assigned
	noStop       = -1
)

func splitID(topic string, partition int32) string {
	return topic + "-" + strconv.Itoa(int(partition))
}

func (p position) split() exec.Split {
	b, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("kafka: a position of numbers and strings cannot be encoded: %v", err))
	}
	return exec.Split{ID: splitID(p.Topic, p.Partition), Position: b}
}

func parsePosition(s exec.Split) (position, error) {
	var p position
	if err := json.Unmarshal(s.Position, &p); err != nil {
		return p, fmt.Errorf("kafka split %s: its position in the checkpoint cannot be read: %w", s.ID, err)
	}
	if p.Topic == "" || splitID(p.Topic, p.Partition) != s.ID || p.Next < nextMissing || p.Stop < noStop {
		return p, fmt.Errorf("kafka split %s: its position in the checkpoint is not one: %s", s.ID, s.Position)
	}
	return p, nil
}

func topicIDText(id [16]byte) string {
	if id == ([16]byte{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

func (p position) String() string { return fmt.Sprintf("topic %s partition %d", p.Topic, p.Partition) }
