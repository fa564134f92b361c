package vec

import "github.com/sqlstream/sqlstream/sql/types"

// Truncate drops the rows of an appended column from n on, at any depth: what an append
// that failed half-way left behind. Later appends go on from row n.
func (v *Vec) Truncate(n int) {
	if n >= v.N {
		return
	}
	v.N = n
	if v.Valid != nil {
		// Words past the end are appended again by the next row; the rest of the last one has
		// to say "valid", as rows are only ever marked NULL.
		v.Valid = v.Valid[:(n+63)>>6]
		if rest := uint(n) & 63; rest != 0 {
			v.Valid[n>>6] |= ^uint64(0) << rest
		}
	}
	switch p := v.Type.Physical(); p {
	case types.PhysBool:
		v.Data = v.Data[:(n+63)/64*8]
		for i := n; i < len(v.Data)*8; i++ {
			v.Data[i>>3] &^= 1 << (uint(i) & 7)
		}
	case types.PhysBytes:
		v.Off = v.Off[:n+1]
		v.Data = v.Data[:v.Off[n]]
	case types.PhysList, types.PhysMap:
		v.Off = v.Off[:n+1]
		for i := range v.Kids {
			v.Kids[i].Truncate(int(v.Off[n]))
		}
	case types.PhysRow:
		for i := range v.Kids {
			v.Kids[i].Truncate(n)
		}
	default:
		v.Data = v.Data[:n*p.Width()]
	}
}
