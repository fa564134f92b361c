package eval

import (
	"fmt"
	"sort"
	"strings"
	"unicode"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// NullRule says what a NULL argument does and which rows a kernel is given.
type NullRule uint8

const (
	// Strict: NULL in any argument gives NULL. The kernel is given only the selected rows
	// whose arguments are all present.
	Strict NullRule = iota
	// Total: as Strict, but the kernel cannot fail and may compute every physical row,
	// whatever lies in it: cheap arithmetic, which is faster dense than selective.
	Total
	// Custom: the kernel is given all selected rows and writes NULLs itself.
	Custom
)

// Function is one entry of the registry: everything there is to know of a function. To add
// one, add an entry to the slice of its family.
type Function struct {
	Name      string   // canonical, upper case; operators by their sign
	Aliases   []string // other names a user may write
	Signature string   // for people: "SUBSTRING(s STRING, start INT [, length INT])"
	Doc       string   // one sentence
	Example   string   // an expression without columns, checked by a test
	Result    string   // what Example gives, as CAST(.. AS STRING) prints it
	Family    string   // set by the registry from the slice it stands in
	Volatile  bool     // another value at each call: never folded, never shared
	Nulls     NullRule

	// Type checks the arguments and gives the types to convert them to and the type of the
	// result. Errors name the types found and those expected, without a position.
	Type Rule
	// Bind makes the kernel for one call. It sees the types and the constants among the
	// arguments, so that patterns, formats and units are compiled once.
	Bind func(s *Site) (Kernel, error)
	// special entries control the evaluation of their arguments (AND, COALESCE, IF); they
	// are compiled to a node instead of a kernel.
	special func(c *compiler, call *expr.Call) (*node, error)
}

// Family is a named group of functions, a chapter of the reference.
type Family struct {
	Name      string
	Functions []Function
}

// Registry resolves scalar functions. It is immutable and safe for concurrent use. It is
// the scalar half of expr.Functions; the composition root embeds it in a struct that adds
// the aggregates.
type Registry struct {
	families []Family
	byName   map[string]*Function
	names    []string
}

// NewRegistry makes a registry of the given families. A name used twice is an error.
func NewRegistry(families ...Family) (*Registry, error) {
	r := &Registry{families: families, byName: map[string]*Function{}}
	for fi := range families {
		for i := range families[fi].Functions {
			f := &families[fi].Functions[i]
			f.Family = families[fi].Name
			for _, name := range append([]string{f.Name}, f.Aliases...) {
				if r.byName[name] != nil {
					return nil, fmt.Errorf("function %s is defined twice, in %s and %s", name, r.byName[name].Family, f.Family)
				}
				r.byName[name] = f
			}
			r.names = append(r.names, f.Name)
		}
	}
	sort.Strings(r.names)
	return r, nil
}

// Builtins are all functions and operators of the engine.
var Builtins = mustRegistry(builtinFamilies()...)

func mustRegistry(fs ...Family) *Registry {
	r, err := NewRegistry(fs...)
	if err != nil {
		panic(err) // a duplicate in the tables below: every test fails
	}
	return r
}

// Lookup returns the entry of a function by canonical name or alias, nil when there is none.
func (r *Registry) Lookup(name string) *Function { return r.byName[strings.ToUpper(name)] }

// Families lists everything, for documentation.
func (r *Registry) Families() []Family { return r.families }

// Names lists the canonical names, sorted.
func (r *Registry) Names() []string { return r.names }

// Scalar resolves a call, see expr.Functions.
func (r *Registry) Scalar(name string, args []expr.Arg) (expr.Overload, error) {
	f := r.Lookup(name)
	if f == nil {
		return expr.Overload{}, fmt.Errorf("%w %s", expr.ErrUnknown, name)
	}
	sig, err := f.Type(args)
	if err != nil {
		if symbolic(f.Name) { // the error names it
			return expr.Overload{}, err
		}
		return expr.Overload{}, fmt.Errorf("%s: %w; expected %s", f.Name, err, f.Signature)
	}
	result := sig.Result.WithoutAttr()
	if sig.Result.Attr != types.NotTime && f.Name == "PROCTIME" {
		result = sig.Result
	}
	return expr.Overload{Name: f.Name, Args: sig.Args, Result: result, Volatile: f.Volatile && !sig.Steady}, nil
}

// symbolic reports whether name is an operator such as + and >=, not a word.
func symbolic(name string) bool {
	return !strings.ContainsFunc(name, unicode.IsLetter)
}

// Cast reports whether CAST(from AS to) is allowed, see expr.Functions.
func (r *Registry) Cast(from, to types.Type) error { return CastAllowed(from, to) }
