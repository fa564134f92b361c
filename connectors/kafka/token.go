package kafka

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// token is what the manifest keeps of a prepared transaction: enough to commit it, to find
// out later whether it was committed, and to repair its markers.
type token struct {
	ClusterID string             `json:"clusterId,omitempty"`
	ID        string             `json:"transactionalId"`
	PID       int64              `json:"producerId"`
	Epoch     int16              `json:"producerEpoch"`
	Version   int                `json:"transactionVersion"` // 1 or 2: decides the version of EndTxn
	Ledger    ledger             `json:"ledger"`
	Slots     []string           `json:"slots"`      // all ids of the pool that wrote it
	Parts     map[string][]int32 `json:"partitions"` // with records of the transaction
	Records   int64              `json:"records"`
	OpenedMs  int64              `json:"openedMs"`
}

// ledger is where the number of the last committed epoch stands: the offset that a group of
// ours has for one partition of a sink topic, written inside the transactions.
type ledger struct {
	Group   string `json:"group"`
	Topic   string `json:"topic"`
	TopicID string `json:"topicId,omitempty"`
}

func (t token) encode() (exec.Token, error) { return json.Marshal(t) }

func parseToken(b exec.Token) (token, error) {
	var t token
	if err := json.Unmarshal(b, &t); err != nil {
		return t, fmt.Errorf("kafka: the checkpoint's transaction cannot be read: %w", err)
	}
	if t.ID == "" || t.Ledger.Group == "" || t.Ledger.Topic == "" || t.Version < 1 || t.Version > 2 {
		return t, fmt.Errorf("kafka: the checkpoint's transaction lacks fields: %s", b)
	}
	return t, nil
}

// marker is the producer epoch that the transaction's markers carry: under version 2 the
// coordinator bumps the epoch before it writes them.
func (t token) marker() int16 {
	if t.Version >= 2 {
		return t.Epoch + 1
	}
	return t.Epoch
}

func (t token) String() string {
	return fmt.Sprintf("transaction %s (producer %d, epoch %d)", t.ID, t.PID, t.Epoch)
}

// slotID is the transactional id of slot i of a job.
func slotID(prefix, job string, i int) string { return prefix + "." + job + "." + strconv.Itoa(i) }

// ledgerGroup is the group whose offset is the ledger. Kafka does not protect it from
// others, so its name has to be one that nobody else would use.
func ledgerGroup(prefix, job string) string { return prefix + "." + job + ".ledger" }

// ledgerOffset is the offset that stands for epoch e.
func ledgerOffset(e state.Epoch) int64 {
	if bugLedgerPlus {
		return int64(e) + 1
	}
	return int64(e)
}
