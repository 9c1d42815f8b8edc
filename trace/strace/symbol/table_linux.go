package symbol

// Table has the names of numbers of one kind. As flags they are written in its order.
type Table []Symbol

// Symbol is the name of a number.
type Symbol struct {
	Value uint64
	Name  string
}

// Of is the name of a number; "" if it has none.
func (t Table) Of(value uint64) string {
	for i := range t {
		if t[i].Value == value {
			return t[i].Name
		}
	}
	return ""
}
