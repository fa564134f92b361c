package ast

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/sql/types"
)

// The ranks of expressions; an operand of a lower rank than its place stands in brackets.
const (
	rankOr = iota + 1
	rankAnd
	rankNot
	rankComparison
	rankPredicate
	rankAdd
	rankMul
	rankSign
	rankOperand
)

var binaryRanks = [...]int{OpOr: rankOr, OpAnd: rankAnd, OpEq: rankComparison, OpNe: rankComparison, OpLt: rankComparison, OpLe: rankComparison,
	OpGt: rankComparison, OpGe: rankComparison, OpAdd: rankAdd, OpSub: rankAdd, OpMul: rankMul, OpDiv: rankMul, OpMod: rankMul, OpConcat: rankMul, OpOverlaps: rankComparison}

func rank(e Expr) int {
	switch e := e.(type) {
	case *Binary:
		return binaryRanks[e.Op]
	case *Unary:
		if e.Op == OpNot {
			return rankNot
		}
		return rankSign
	case *Is, *IsDistinct, *Quantified:
		return rankComparison
	case *In, *Like, *Between:
		return rankPredicate
	}
	return rankOperand
}

// at writes an expression in a place for rank least and higher.
func (p *printer) at(least int, e Expr) {
	if rank(e) < least {
		p.w("(", e, ")")
		return
	}
	p.expr(e)
}

func not(n bool) string {
	if n {
		return " NOT"
	}
	return ""
}

func (p *printer) expr(e Expr) {
	switch e := e.(type) {
	case *Unary:
		p.unary(e)
	case *Binary:
		r := binaryRanks[e.Op]
		p.at(r, e.Left)
		p.w(" ", e.Op, " ")
		p.at(r+1, e.Right)
	case *Is:
		p.at(rankComparison, e.Arg)
		p.w(" IS", not(e.Not), " ", e.Test)
	case *IsDistinct:
		p.at(rankComparison, e.Left)
		p.w(" IS", not(e.Not), " DISTINCT FROM ")
		p.at(rankComparison+1, e.Right)
	case *Quantified:
		p.at(rankComparison, e.Left)
		p.w(" ", e.Op, map[bool]string{true: " ALL ", false: " ANY "}[e.All])
		p.listOrQuery(e.List, e.Query)
	case *Between:
		p.at(rankAdd, e.Arg)
		p.w(not(e.Not), " BETWEEN ")
		p.opt(e.Symmetric, "SYMMETRIC ")
		p.at(rankAdd, e.Low)
		p.w(" AND ")
		p.at(rankAdd, e.High)
	case *In:
		p.at(rankAdd, e.Arg)
		p.w(not(e.Not), " IN ")
		p.listOrQuery(e.List, e.Query)
	case *Like:
		p.at(rankAdd, e.Arg)
		p.w(not(e.Not), map[bool]string{true: " SIMILAR TO ", false: " LIKE "}[e.Similar])
		p.at(rankAdd, e.Pattern)
		if e.Escape != nil {
			p.w(" ESCAPE ")
			p.at(rankAdd, e.Escape)
		}
	default:
		p.operand(e)
	}
}

func (p *printer) unary(e *Unary) {
	if e.Op == OpNot {
		p.w("NOT ")
		p.at(rankNot, e.Arg)
		return
	}
	p.w(e.Op)
	if in, ok := e.Arg.(*Unary); ok && in.Op != OpNot {
		p.w(" ") // -- begins a comment
	}
	p.at(rankSign, e.Arg)
}

func (p *printer) listOrQuery(list []Expr, q *Query) {
	p.w("(")
	if q != nil {
		p.query(q)
	} else {
		p.exprs(list)
	}
	p.w(")")
}

// operand prints the expressions that never need brackets.
func (p *printer) operand(e Expr) {
	switch e := e.(type) {
	case *ColumnRef:
		p.w(e.Path)
	case *NumberLit:
		p.w(e.Text)
	case *StringLit:
		p.w(e.String())
	case *BinaryLit:
		p.w("X'", strings.ToUpper(hex.EncodeToString(e.Value)), "'")
	case *NullLit:
		p.w("NULL")
	case *BoolLit:
		p.w(strings.ToUpper(strconv.FormatBool(e.Value)))
	case *TypedLit:
		name := e.Kind.String()
		if e.Kind == types.TimestampLTZ {
			name = "TIMESTAMP WITH LOCAL TIME ZONE"
		}
		p.w(name, " ", e.Value.String())
	case *IntervalLit:
		p.interval(e)
	case *Difference:
		p.w("(")
		p.at(rankAdd, e.Left)
		p.w(" - ")
		p.at(rankMul, e.Right)
		p.w(") ")
		p.units(e.From, e.To, e.Precision, e.FracPrecision)
	case *Case:
		p.caseExpr(e)
	case *Cast:
		p.opt(e.Try, "TRY_")
		p.w("CAST(", e.Arg, " AS ", e.Type, ")")
	case *ArrayLit:
		p.w("ARRAY[")
		p.exprs(e.Items)
		p.w("]")
	case *MapLit:
		p.w("MAP[")
		for i := range e.Keys {
			p.opt(i > 0, ", ")
			p.w(e.Keys[i], ", ", e.Values[i])
		}
		p.w("]")
	case *RowLit:
		p.opt(e.Explicit, "ROW")
		p.w("(")
		p.exprs(e.Items)
		p.w(")")
	case *Index:
		p.at(rankOperand, e.Arg)
		p.w("[", e.Index, "]")
	case *Field:
		p.field(e)
	case *Exists:
		p.w("EXISTS (", e.Query, ")")
	case *Subquery:
		p.w("(", e.Query, ")")
	case *Star:
		for _, n := range e.Qualifier {
			p.w(n, ".")
		}
		p.w("*")
	default:
		p.callPart(e)
	}
}

// field prints (a).b where a.b would be a longer name.
func (p *printer) field(e *Field) {
	switch e.Arg.(type) {
	case *ColumnRef, *NumberLit:
		p.w("(", e.Arg, ")")
	default:
		p.at(rankOperand, e.Arg)
	}
	p.w(".", e.Name)
}

func (p *printer) interval(e *IntervalLit) {
	p.w("INTERVAL ")
	p.opt(e.Negative, "-")
	p.w(e.Value.String(), " ")
	p.units(e.From, e.To, e.Precision, e.FracPrecision)
}

func (p *printer) units(from, to Unit, precision, fraction int) {
	p.w(from)
	n, f := strconv.Itoa(precision), strconv.Itoa(fraction)
	switch {
	case to == UnitNone && fraction >= 0:
		p.w("(", n, ", ", f, ")")
	case precision >= 0:
		p.w("(", n, ")")
	}
	if to != UnitNone {
		p.w(" TO ", to)
		p.opt(fraction >= 0, "(", f, ")")
	}
}

func (p *printer) caseExpr(e *Case) {
	p.w("CASE")
	if e.Operand != nil {
		p.w(" ", e.Operand)
	}
	for _, when := range e.Whens {
		p.w(" WHEN ", when.Cond, " THEN ", when.Result)
	}
	if e.Else != nil {
		p.w(" ELSE ", e.Else)
	}
	p.w(" END")
}
