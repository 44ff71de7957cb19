package action

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"karri/shared/awsmodel"
	"karri/shared/fault"
	"karri/shared/protocol"
)

// A Manual is a service as data: all that tools/karri and the API reference
// need to know of its actions.
type Manual struct {
	Service string       `json:"service"`
	Version string       `json:"version"`
	Actions []ManualPage `json:"actions"`
}

// A ManualPage is one action as data.
type ManualPage struct {
	Name    string          `json:"name"`
	Doc     string          `json:"doc"`
	Changes bool            `json:"changes"` // false: only reads
	DryRun  bool            `json:"dryRun"`  // takes DryRun
	Params  []Param         `json:"params"`  // without DryRun
	Filters []string        `json:"filters"` // names for Filters
	Paged   bool            `json:"paged"`   // takes MaxResults and NextToken
	Lists   []string        `json:"lists"`   // members of the answer that are lists
	Answer  []Param         `json:"answer"`  // members of the answer
	Absent  bool            `json:"absent"`  // always empty: Karri has no such feature
	Example json.RawMessage `json:"example"` // a request in JSON
}

// A Param is a parameter or a part of one.
type Param struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`              // string, integer, boolean, timestamp, blob, structure, list, map
	Element  string   `json:"element,omitempty"` // of a list or map: type of what is in it
	Required bool     `json:"required,omitempty"`
	Enum     []string `json:"enum,omitempty"`
	Parts    []Param  `json:"parts,omitempty"` // of a structure, or of the structures in a list
}

// Manual returns the service as data.
func (s *Service) Manual() (Manual, error) {
	m := Manual{Service: s.Name, Version: s.Model.Version}
	for _, name := range slices.Sorted(maps.Keys(s.actions)) {
		a := s.actions[name]
		example, err := a.Request.JSON(a.Example)
		if err != nil {
			return m, err
		}
		p := ManualPage{
			Name: name, Doc: a.Doc, Changes: !a.Reads(), DryRun: a.Op.Input.Member("DryRun") != nil,
			Params: params(a.Request, 0), Absent: a.Empty, Example: example,
		}
		if a.List != nil {
			p.Filters = a.List.Filters
			p.Paged = slices.ContainsFunc(p.Params, func(p Param) bool { return p.Name == "NextToken" || p.Name == "Marker" })
		}
		if a.Answer != nil {
			p.Answer = params(a.Answer, 0)
		}
		for _, part := range p.Answer {
			if part.Type == string(awsmodel.List) {
				p.Lists = append(p.Lists, part.Name)
			}
		}
		m.Actions = append(m.Actions, p)
	}
	return m, nil
}

// params lists what a plan honours, down to a depth that no request reaches
// but a type within itself does.
func params(p *protocol.Plan, depth int) []Param {
	var out []Param
	p.Each(func(m *awsmodel.Member, part *protocol.Plan) {
		shape := m.Shape
		q := Param{Name: m.Name, Type: string(shape.Type), Required: m.Required, Enum: shape.Enum}
		if inner := part.Element(); inner != nil {
			part, shape = inner, inner.Shape()
			q.Element, q.Enum = string(shape.Type), shape.Enum
		}
		if shape.Type == awsmodel.Structure && depth < 8 {
			q.Parts = params(part, depth+1)
		}
		out = append(out, q)
	})
	return out
}

func (d *Door) serveManual(w http.ResponseWriter) {
	var all []Manual
	for _, s := range d.Services {
		m, err := s.Manual()
		if err != nil {
			d.Log.Error("manual", "service", s.Name, "err", fault.Of(err))
			http.Error(w, "The manual cannot be shown.", http.StatusInternalServerError)
			return
		}
		all = append(all, m)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(all); err != nil {
		d.Log.Debug("answer not taken", "err", err)
	}
}
