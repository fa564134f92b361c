package ast

// Statement is one statement of a script. Range is the text it covers, without the
// semicolon.
type Statement interface {
	Node
	Range() (start, end int)
	stmt()
}

// QueryStatement is a query as a statement.
type QueryStatement struct {
	Span
	Query *Query
}

// Insert is INSERT INTO|OVERWRITE table [PARTITION (..)] [(columns)] query.
type Insert struct {
	Span
	Overwrite bool
	Table     *TableName // with hints, without alias
	Partition []PartitionValue
	Columns   []Ident
	Query     *Query
}

// PartitionValue is column = value in PARTITION (..).
type PartitionValue struct {
	At
	Column Ident
	Value  Expr // a literal
}

// StatementSet is several INSERTs that are one job: EXECUTE STATEMENT SET BEGIN .. END, or
// BEGIN STATEMENT SET; .. END;.
type StatementSet struct {
	Span
	Inserts []*Insert
}

// Explain is EXPLAIN [PLAN FOR | details] statement.
type Explain struct {
	Span
	Details   []ExplainDetail
	Statement Statement // *QueryStatement, *Insert, *StatementSet, or *CreateTable with AS
}

// ExplainDetail is one word of EXPLAIN.
type ExplainDetail uint8

// The details.
const (
	EstimatedCost ExplainDetail = iota
	ChangelogMode
	JSONExecutionPlan
	PlanAdvice
)

var detailNames = [...]string{EstimatedCost: "ESTIMATED_COST", ChangelogMode: "CHANGELOG_MODE", JSONExecutionPlan: "JSON_EXECUTION_PLAN", PlanAdvice: "PLAN_ADVICE"}

// String returns the word.
func (d ExplainDetail) String() string { return detailNames[d] }

// Show is SHOW what [..].
type Show struct {
	Span
	What  ShowKind
	Name  Path // SHOW CREATE x, SHOW COLUMNS FROM x, SHOW PARTITIONS x, SHOW JARS: none
	In    Path // FROM|IN catalog or database
	Not   bool // NOT LIKE
	Like  *StringLit
	ILike bool
}

// ShowKind is what SHOW shows.
type ShowKind uint8

// What can be shown.
const (
	ShowTables ShowKind = iota
	ShowViews
	ShowFunctions
	ShowUserFunctions
	ShowCatalogs
	ShowDatabases
	ShowJobs
	ShowModules
	ShowFullModules
	ShowColumns
	ShowPartitions
	ShowCurrentCatalog
	ShowCurrentDatabase
	ShowCreateTable
	ShowCreateView
	ShowCreateCatalog
)

var showNames = [...]string{ShowTables: "TABLES", ShowViews: "VIEWS", ShowFunctions: "FUNCTIONS", ShowUserFunctions: "USER FUNCTIONS",
	ShowCatalogs: "CATALOGS", ShowDatabases: "DATABASES", ShowJobs: "JOBS", ShowModules: "MODULES", ShowFullModules: "FULL MODULES",
	ShowColumns: "COLUMNS", ShowPartitions: "PARTITIONS", ShowCurrentCatalog: "CURRENT CATALOG", ShowCurrentDatabase: "CURRENT DATABASE",
	ShowCreateTable: "CREATE TABLE", ShowCreateView: "CREATE VIEW", ShowCreateCatalog: "CREATE CATALOG"}

// String returns the words after SHOW.
func (k ShowKind) String() string { return showNames[k] }

// Describe is DESCRIBE|DESC [kind] [EXTENDED] name.
type Describe struct {
	Span
	Kind     ObjectKind // ObjectTable also for a view; ObjectDatabase, ObjectCatalog, ObjectFunction
	Extended bool
	Name     Path
}

// DescribeJob is DESCRIBE JOB 'id'.
type DescribeJob struct {
	Span
	Job StringLit
}

// StopJob is STOP JOB 'id' [WITH SAVEPOINT] [WITH DRAIN].
type StopJob struct {
	Span
	Job              StringLit
	Savepoint, Drain bool
}

// CreateSavepoint is CREATE SAVEPOINT FOR JOB 'id' [TO 'path']; Flink has no such statement. To is
// nil when the job's own option decides.
type CreateSavepoint struct {
	Span
	Job StringLit
	To  *StringLit
}

// Use is USE database, USE CATALOG name, or USE MODULES a, b (then Modules is set).
type Use struct {
	Span
	Kind    ObjectKind // ObjectDatabase, ObjectCatalog or ObjectModule
	Name    Path
	Modules []Ident
}

// Set is SET 'key' = 'value', or SET alone: Option is nil.
type Set struct {
	Span
	Option *Option
}

// Reset is RESET 'key', or RESET alone: Key is nil.
type Reset struct {
	Span
	Key *StringLit
}

func (*QueryStatement) stmt()  {}
func (*Insert) stmt()          {}
func (*StatementSet) stmt()    {}
func (*Explain) stmt()         {}
func (*Show) stmt()            {}
func (*Describe) stmt()        {}
func (*DescribeJob) stmt()     {}
func (*StopJob) stmt()         {}
func (*CreateSavepoint) stmt() {}
func (*Use) stmt()             {}
func (*Set) stmt()             {}
func (*Reset) stmt()           {}
