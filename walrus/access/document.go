package access

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strings"
)

const (
	xmlns    = "http://s3.amazonaws.com/doc/2006-03-01/"
	instance = "http://www.w3.org/2001/XMLSchema-instance"
	maxDepth = 6
)

// A node is an element of a document.
type node struct {
	name     string
	kind     string // xsi:type
	text     string
	children []*node
}

// readXML reads a document whose root has the name. Text beside elements,
// unknown name spaces and unknown attributes are errors.
func readXML(doc []byte, root string) (*node, bool) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	top := &node{}
	stack := []*node{top}
	for {
		t, err := d.Token()
		here := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			n, ok := element(t)
			if !ok || len(stack) > maxDepth {
				return nil, false
			}
			here.children = append(here.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			if len(here.children) > 0 {
				if strings.TrimSpace(here.text) != "" {
					return nil, false
				}
				here.text = ""
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			here.text += string(t)
		case xml.Directive:
			return nil, false
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, false
		}
	}
	if len(top.children) != 1 || top.children[0].name != root || strings.TrimSpace(top.text) != "" {
		return nil, false
	}
	return top.children[0], true
}

func element(t xml.StartElement) (*node, bool) {
	if t.Name.Space != "" && t.Name.Space != xmlns {
		return nil, false
	}
	n := &node{name: t.Name.Local}
	for _, a := range t.Attr {
		switch {
		case a.Name.Space == instance && a.Name.Local == "type", a.Name.Space == "xsi" && a.Name.Local == "type":
			n.kind = a.Value
		case a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && a.Name.Space != instance:
			return nil, false
		}
	}
	return n, true
}

// fields returns the children of n by name, each at most once and no others.
func (n *node) fields(names ...string) (map[string]*node, bool) {
	all := map[string]*node{}
	for _, c := range n.children {
		if all[c.name] != nil || !slices.Contains(names, c.name) {
			return nil, false
		}
		all[c.name] = c
	}
	return all, strings.TrimSpace(n.text) == ""
}

// leaf returns the text of a child, which may be missing.
func leaf(n *node) (string, bool) {
	if n == nil {
		return "", true
	}
	return strings.TrimSpace(n.text), len(n.children) == 0
}

// ParseACL reads a list. The errors are faults with S3's codes.
func ParseACL(doc []byte) (*ACL, error) {
	root, ok := readXML(doc, "AccessControlPolicy")
	if !ok {
		return nil, MalformedACL
	}
	f, ok := root.fields("Owner", "AccessControlList")
	if !ok || f["Owner"] == nil || f["AccessControlList"] == nil {
		return nil, MalformedACL
	}
	owner, ok := f["Owner"].fields("ID", "DisplayName")
	if !ok || owner["ID"] == nil {
		return nil, MalformedACL
	}
	a := &ACL{}
	if a.Owner, ok = leaf(owner["ID"]); !ok {
		return nil, MalformedACL
	}
	if strings.TrimSpace(f["AccessControlList"].text) != "" {
		return nil, MalformedACL
	}
	for _, n := range f["AccessControlList"].children {
		g, err := grant(n)
		if err != nil {
			return nil, err
		}
		a.Grants = append(a.Grants, g)
	}
	if !isCanonical(a.Owner) {
		return nil, invalidArgument("Invalid id")
	}
	return a, a.check()
}

func grant(n *node) (Grant, error) {
	f, ok := n.fields("Grantee", "Permission")
	p, plain := leaf(f["Permission"])
	if n.name != "Grant" || !ok || !plain || f["Grantee"] == nil || !slices.Contains(permissions, Permission(p)) {
		return Grant{}, MalformedACL
	}
	to, ok := f["Grantee"].fields("ID", "DisplayName", "URI", "EmailAddress")
	id, ok1 := leaf(to["ID"])
	uri, ok2 := leaf(to["URI"])
	if !ok || !ok1 || !ok2 {
		return Grant{}, MalformedACL
	}
	g := Grant{ID: id, Group: uri, Permission: Permission(p)}
	switch kind := f["Grantee"].kind; {
	case kind == "AmazonCustomerByEmail" && to["EmailAddress"] != nil:
		return g, NoSuchAddress
	case kind == "CanonicalUser" && to["ID"] != nil && to["URI"] == nil,
		kind == "Group" && to["URI"] != nil && to["ID"] == nil:
		if g.ID == "" && g.Group == "" {
			return g, MalformedACL
		}
		return g, nil
	}
	return g, MalformedACL
}

// UserXML is an account as answers show it.
type UserXML struct {
	ID          string
	DisplayName string `xml:",omitempty"`
}

type granteeXML struct {
	XSI         string `xml:"xmlns:xsi,attr"`
	Type        string `xml:"xsi:type,attr"`
	ID          string `xml:",omitempty"`
	DisplayName string `xml:",omitempty"`
	URI         string `xml:",omitempty"`
}

type grantXML struct {
	Grantee    granteeXML
	Permission Permission
}

// ACLXML is a list as answers show it.
type ACLXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccessControlPolicy"`
	Owner   UserXML
	Grants  struct {
		Grant []grantXML
	} `xml:"AccessControlList"`
}

// XML returns the list as answers show it. name answers what to call an
// account, by its canonical id; it may be nil.
func (a *ACL) XML(name func(id string) string) ACLXML {
	if name == nil {
		name = func(string) string { return "" }
	}
	x := ACLXML{Owner: UserXML{a.Owner, name(a.Owner)}}
	for _, g := range a.Grants {
		to := granteeXML{XSI: instance, Type: "CanonicalUser", ID: g.ID, DisplayName: name(g.ID), URI: g.Group}
		if g.Group != "" {
			to.Type, to.DisplayName = "Group", ""
		}
		x.Grants.Grant = append(x.Grants.Grant, grantXML{to, g.Permission})
	}
	return x
}

// Render returns the canonical document of the list.
func (a *ACL) Render() ([]byte, error) { return render(a.XML(nil)) }

func render(v any) ([]byte, error) {
	b, err := xml.Marshal(v)
	return append([]byte(xml.Header), b...), err
}
