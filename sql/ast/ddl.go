package ast

// ObjectKind is a kind of catalog object.
type ObjectKind uint8

// The kinds.
const (
	ObjectTable ObjectKind = iota
	ObjectView
	ObjectFunction
	ObjectDatabase
	ObjectCatalog
	ObjectModule
)

var objectNames = [...]string{ObjectTable: "TABLE", ObjectView: "VIEW", ObjectFunction: "FUNCTION", ObjectDatabase: "DATABASE", ObjectCatalog: "CATALOG", ObjectModule: "MODULE"}

// String returns the kind's word.
func (k ObjectKind) String() string { return objectNames[k] }

// CreateTable is CREATE [OR REPLACE] [TEMPORARY] TABLE .., with LIKE or AS at the end.
type CreateTable struct {
	Span
	Temporary, OrReplace, IfNotExists bool
	Name                              Path
	Columns                           []*Column
	PrimaryKey                        *PrimaryKey // also one written behind its column
	Watermarks                        []*Watermark
	Comment                           *StringLit
	Distribution                      *Distribution
	PartitionedBy                     []Ident
	Options                           []Option
	Like                              *TableLike
	As                                *Query
}

// Column is a column of CREATE TABLE.
type Column struct {
	At
	Kind    ColumnKind
	Name    Ident
	Type    *TypeRef   // nil for Computed and for NameOnly
	Expr    Expr       // Computed
	Key     *StringLit // Metadata: FROM 'key', nil when it is the column's name
	Virtual bool       // Metadata
	Comment *StringLit
}

// ColumnKind tells columns apart.
type ColumnKind uint8

// The columns. NameOnly gives the order of columns in CREATE TABLE (a, b) .. AS query.
const (
	Physical ColumnKind = iota
	Computed
	Metadata
	NameOnly
)

// PrimaryKey is [CONSTRAINT name] PRIMARY KEY (columns) NOT ENFORCED.
type PrimaryKey struct {
	At
	Constraint *Ident
	Columns    []Ident
}

// Watermark is WATERMARK FOR column AS expr. Column has several parts for a field of a row.
type Watermark struct {
	At
	Column Path
	Expr   Expr
}

// Distribution is DISTRIBUTED [BY [HASH|RANGE] (columns)] [INTO n BUCKETS].
type Distribution struct {
	At
	Kind    string // HASH, RANGE or ""
	Columns []Ident
	Buckets *NumberLit
}

// TableLike is LIKE table [(options)].
type TableLike struct {
	At
	Table   Path
	Options []LikeOption
}

// LikeOption is one of INCLUDING|EXCLUDING|OVERWRITING feature.
type LikeOption struct {
	At
	Strategy string // INCLUDING, EXCLUDING, OVERWRITING
	Feature  string // ALL, CONSTRAINTS, DISTRIBUTION, GENERATED, METADATA, OPTIONS, PARTITIONS, WATERMARKS
}

// CreateView is CREATE [TEMPORARY] VIEW.
type CreateView struct {
	Span
	Temporary, OrReplace, IfNotExists bool
	Name                              Path
	Columns                           []Ident
	Comment                           *StringLit
	Query                             *Query
}

// CreateFunction is CREATE [TEMPORARY [SYSTEM]] FUNCTION name AS 'class' [LANGUAGE l] [USING JAR 'path', ..].
type CreateFunction struct {
	Span
	Temporary, System, IfNotExists bool
	Name                           Path
	Class                          StringLit
	Language                       string // upper case: JAVA, SCALA, PYTHON or ""
	Jars                           []StringLit
}

// CreateCatalog is CREATE CATALOG name [COMMENT ..] WITH (..).
type CreateCatalog struct {
	Span
	IfNotExists bool
	Name        Ident
	Comment     *StringLit
	Options     []Option
}

// CreateDatabase is CREATE DATABASE [catalog.]name [COMMENT ..] [WITH (..)].
type CreateDatabase struct {
	Span
	IfNotExists bool
	Name        Path
	Comment     *StringLit
	Options     []Option
}

// Drop is DROP [TEMPORARY [SYSTEM]] kind [IF EXISTS] name [CASCADE|RESTRICT].
type Drop struct {
	Span
	Kind                                 ObjectKind
	Temporary, System, IfExists, Cascade bool
	Name                                 Path
}

// Alter is ALTER kind [IF EXISTS] name action.
type Alter struct {
	Span
	Kind                        ObjectKind
	Temporary, System, IfExists bool
	Name                        Path
	Action                      AlterAction
}

// AlterAction is one of the types below.
type AlterAction interface {
	Node
	action()
}

// RenameTo is RENAME TO name.
type RenameTo struct {
	At
	Name Path
}

// RenameColumn is RENAME old TO new.
type RenameColumn struct {
	At
	Old Path
	New Ident
}

// SetOptions is SET (options).
type SetOptions struct {
	At
	Options []Option
}

// ResetOptions is RESET (keys).
type ResetOptions struct {
	At
	Keys []StringLit
}

// ChangeColumns is ADD or MODIFY (columns, keys, watermarks).
type ChangeColumns struct {
	At
	Modify     bool
	Columns    []PlacedColumn
	PrimaryKey *PrimaryKey
	Watermark  *Watermark
}

// PlacedColumn is a column with FIRST or AFTER other.
type PlacedColumn struct {
	Column *Column
	First  bool
	After  *Ident
}

// DropColumns is DROP column or DROP (columns).
type DropColumns struct {
	At
	Columns []Ident
}

// DropConstraint is DROP PRIMARY KEY (Name is nil) or DROP CONSTRAINT name.
type DropConstraint struct {
	At
	Name *Ident
}

// DropWatermark is DROP WATERMARK.
type DropWatermark struct{ At }

// SetQuery is AS query of ALTER VIEW.
type SetQuery struct {
	At
	Query *Query
}

// SetComment is COMMENT 'text' of ALTER CATALOG.
type SetComment struct {
	At
	Comment StringLit
}

// SetClass is AS 'class' [LANGUAGE l] of ALTER FUNCTION.
type SetClass struct {
	At
	Class    StringLit
	Language string
}

func (*CreateTable) stmt()    {}
func (*CreateView) stmt()     {}
func (*CreateFunction) stmt() {}
func (*CreateCatalog) stmt()  {}
func (*CreateDatabase) stmt() {}
func (*Drop) stmt()           {}
func (*Alter) stmt()          {}

func (*RenameTo) action()       {}
func (*RenameColumn) action()   {}
func (*SetOptions) action()     {}
func (*ResetOptions) action()   {}
func (*ChangeColumns) action()  {}
func (*DropColumns) action()    {}
func (*DropConstraint) action() {}
func (*DropWatermark) action()  {}
func (*SetQuery) action()       {}
func (*SetComment) action()     {}
func (*SetClass) action()       {}
