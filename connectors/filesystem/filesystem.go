// Package filesystem owns the connector 'filesystem': files of records on local disks, as a
// source (every file once, or for ever watching a folder) and as an exactly-once sink whose
// files appear when their checkpoint is complete. Only connectors/all and tests import it.
package filesystem

import (
	"context"
	"math"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/types"
)

const (
	optPath     = "path"
	optFormat   = "format"
	optMonitor  = "source.monitor-interval"
	optPattern  = "source.path.regex-pattern"
	optBad      = "bad-records"
	optFileSize = "sink.rolling-policy.file-size"
	optRollover = "sink.rolling-policy.rollover-interval"
	optIdle     = "sink.rolling-policy.inactivity-interval"
	optCheck    = "sink.rolling-policy.check-interval"
	optStats    = "source.report-statistics"

	badFail = "fail"
	badSkip = "skip"

	defaultFileSize = 128 << 20
)

var badPolicies = []string{badFail, badSkip}

// New returns the connector for files in the given formats.
func New(formats format.Set) connectors.Connector { return connector{formats} }

type connector struct{ formats format.Set }

func (connector) Name() string { return "filesystem" }

func (connector) Doc() string {
	return "Files of records in a local folder; as a sink exactly once: a file appears when its checkpoint is complete."
}

func (c connector) Options(t connectors.Table) []connectors.OptionDef {
	everyCheckpoint := "Without effect: a file ends with every checkpoint."
	defs := []connectors.OptionDef{
		{Key: optPath, Type: "String", Required: true, Doc: "File or folder; a folder is read with those inside of it, without names that begin with . or _. May have wildcards * and ?."},
		{Key: optFormat, Type: "String", Required: true, Doc: "Encoding of the records."},
		{Key: optMonitor, Type: "Duration", Doc: "How often to look for new files; without it the source ends with the files there are. A file is read once, so it has to be moved in when it is complete."},
		{Key: optPattern, Type: "String", Doc: "Regular expression (RE2) that the full path of a file has to match."},
		{Key: optBad, Type: "Enum", Enum: badPolicies, Default: badFail, Doc: "What to do with records that cannot be decoded (sqlstream only)."},
		{Key: "scan.parallelism", Type: "Int", Doc: "Parallelism of the source (sqlstream only)."},
		{Key: optFileSize, Type: "MemorySize", Default: "128 mb", Doc: "Size at which a file ends before its checkpoint."},
		{Key: optRollover, Type: "Duration", Doc: everyCheckpoint},
		{Key: optIdle, Type: "Duration", Doc: everyCheckpoint},
		{Key: optCheck, Type: "Duration", Doc: everyCheckpoint},
		{Key: optStats, Type: "Enum", Enum: []string{"ALL", "NONE"}, Default: "ALL", Doc: "Flink's hint for its planner; without effect here."},
		{Key: "sink.parallelism", Type: "Int", Doc: "Parallelism of the sink."},
	}
	if f, err := c.formats.Lookup(optFormat, t.Options[optFormat]); err == nil {
		defs = append(defs, format.Options("", f)...)
	}
	return defs
}

// The metadata columns of a source.
const (
	metaPath  = "file.path"
	metaName  = "file.name"
	metaSize  = "file.size"
	metaMtime = "file.modification-time"
)

var metadata = map[string]types.Type{
	metaPath:  types.StringT.NotNullable(),
	metaName:  types.StringT.NotNullable(),
	metaSize:  types.BigIntT.NotNullable(),
	metaMtime: types.TimestampLTZT(3).NotNullable(),
}

// config is a table's options, read.
type config struct {
	table   connectors.Table
	path    string // absolute
	format  format.Format
	options connectors.Options // of the format
	monitor time.Duration
	pattern *regexp.Regexp
	skipBad bool
	maxSize int64
}

func (c connector) config(t connectors.Table) (cfg *config, err error) {
	if err := connectors.CheckOptions(t, c.Options(t)); err != nil {
		return nil, err
	}
	cfg = &config{table: t}
	o := t.Options
	if cfg.path, err = localPath(o[optPath]); err != nil {
		return nil, exec.Userf("table %s: %w", t.Name, err)
	}
	if cfg.format, err = c.formats.Lookup(optFormat, o[optFormat]); err != nil {
		return nil, exec.Userf("table %s: %w", t.Name, err)
	}
	cfg.options = o.Under(cfg.format.Name() + ".")
	if cfg.monitor, err = o.Duration(optMonitor, 0); err != nil {
		return nil, exec.Userf("table %s: %w", t.Name, err)
	}
	if _, ok := o[optMonitor]; ok && cfg.monitor <= 0 {
		return nil, exec.Userf("table %s: option '%s' = '%s': expected more than 0; leave it out to read the files there are and end", t.Name, optMonitor, o[optMonitor])
	}
	if text, ok := o[optPattern]; ok {
		if cfg.pattern, err = regexp.Compile("^(?:" + text + ")$"); err != nil {
			return nil, exec.Userf("table %s: option '%s' = '%s' is no regular expression: %w", t.Name, optPattern, text, err)
		}
	}
	policy, err := o.Enum(optBad, badPolicies, badFail)
	if err != nil {
		return nil, exec.Userf("table %s: %w", t.Name, err)
	}
	cfg.skipBad = policy == badSkip
	if cfg.maxSize, err = o.Size(optFileSize, defaultFileSize); err != nil {
		return nil, exec.Userf("table %s: %w", t.Name, err)
	}
	if cfg.maxSize <= 0 {
		cfg.maxSize = math.MaxInt64
	}
	return cfg, nil
}

// localPath returns the absolute path that 'path' names: a path or a file URL.
func localPath(text string) (string, error) {
	if scheme, _, ok := strings.Cut(text, ":"); ok && scheme != "" && !strings.ContainsAny(scheme, `/\.`) && len(scheme) > 1 {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" || u.Path == "" {
			return "", exec.Userf("option '%s' = '%s': expected a local path or file:///path", optPath, text)
		}
		text = u.Path
	}
	if strings.TrimSpace(text) == "" {
		return "", exec.Userf("option '%s' is empty, expected a file or folder", optPath)
	}
	return filepath.Abs(text)
}

func (c connector) SourceInfo(t connectors.Table) (connectors.SourceInfo, error) {
	cfg, err := c.config(t)
	if err != nil {
		return connectors.SourceInfo{}, err
	}
	if _, err := cfg.decoder(nil, connectors.Env{}); err != nil {
		return connectors.SourceInfo{}, exec.Userf("table %s: %w", t.Name, err)
	}
	info := connectors.SourceInfo{
		Bounded: cfg.monitor == 0, Identity: "filesystem:" + cfg.path, Metadata: metadata, FieldsByName: format.FieldsByName(cfg.format),
	}
	if !info.Bounded {
		info.Reads = func(place string) bool {
			folder, ok := strings.CutPrefix(place, places)
			return ok && (folder == cfg.path || strings.HasPrefix(folder, cfg.path+string(filepath.Separator)))
		}
	}
	return info, nil
}

// places begins the name of a folder in SinkInfo.Writes.
const places = "folder "

// decoder makes a decoder of the physical columns.
func (cfg *config) decoder(projection []int, env connectors.Env) (format.Decoder, error) {
	return cfg.format.NewDecoder(cfg.table.Physical, projection, cfg.options, env)
}

func (c connector) SinkInfo(t connectors.Table) (connectors.SinkInfo, error) {
	cfg, err := c.config(t)
	if err != nil {
		return connectors.SinkInfo{}, err
	}
	if _, err := cfg.format.NewEncoder(t.Physical, cfg.options, connectors.Env{}); err != nil {
		return connectors.SinkInfo{}, exec.Userf("table %s: %w", t.Name, err)
	}
	return connectors.SinkInfo{Accepts: connectors.AppendOnly, Identity: "filesystem:" + cfg.path, Transactional: true, Committer: committerName(cfg.path), Writes: places + cfg.path}, nil
}

func committerName(path string) string { return "filesystem:" + path }

func (c connector) Source(_ context.Context, t connectors.Table, projection []int, env connectors.Env) (exec.Source, error) {
	cfg, err := c.config(t)
	if err != nil {
		return nil, err
	}
	return &source{config: cfg, projection: projection, env: env}, nil
}

func (c connector) Sink(_ context.Context, t connectors.Table, env connectors.Env) (exec.Sink, error) {
	cfg, err := c.config(t)
	if err != nil {
		return nil, err
	}
	return newSink(cfg, env)
}
