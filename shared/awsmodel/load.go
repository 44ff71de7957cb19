package awsmodel

import (
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

//go:embed ec2.json.gz
var ec2File []byte

//go:embed sts.json.gz
var stsFile []byte

//go:embed iam.json.gz
var iamFile []byte

//go:embed cloudtrail.json.gz
var cloudTrailFile []byte

//go:embed servicequotas.json.gz
var serviceQuotasFile []byte

// EC2 returns the model of EC2.
var EC2 = sync.OnceValue(func() *Service { return embedded("ec2", ec2File) })

// STS returns the model of the Security Token Service.
var STS = sync.OnceValue(func() *Service { return embedded("sts", stsFile) })

// IAM returns the model of Identity and Access Management.
var IAM = sync.OnceValue(func() *Service { return embedded("iam", iamFile) })

// CloudTrail returns the model of CloudTrail.
var CloudTrail = sync.OnceValue(func() *Service { return embedded("cloudtrail", cloudTrailFile) })

// ServiceQuotas returns the model of Service Quotas.
var ServiceQuotas = sync.OnceValue(func() *Service { return embedded("servicequotas", serviceQuotasFile) })

// embedded reads a file that is part of the program: one that cannot be read
// is a build that must not start.
func embedded(name string, packed []byte) *Service {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("awsmodel: " + name + ": " + err.Error())
	}
	b, err := io.ReadAll(z)
	if err != nil {
		panic("awsmodel: " + name + ": " + err.Error())
	}
	s, err := Parse(b)
	if err != nil {
		panic("awsmodel: " + name + ": " + err.Error())
	}
	s.Name = name
	return s
}

// A File is a model as it is written: the form of the public api-2.json, with
// the traits that Karri uses.
type File struct {
	Metadata   FileMetadata             `json:"metadata"`
	Operations map[string]FileOperation `json:"operations"`
	Shapes     map[string]FileShape     `json:"shapes"`
	Known      []string                 `json:"known,omitempty"` // every action of the service
	Paged      []string                 `json:"paged,omitempty"` // those among Operations that have pages
}

// FileMetadata is the head of a File.
type FileMetadata struct {
	APIVersion   string `json:"apiVersion"`
	Protocol     string `json:"protocol"`
	XMLNamespace string `json:"xmlNamespace,omitempty"`
	TargetPrefix string `json:"targetPrefix,omitempty"`
}

// A FileOperation is an action in a File.
type FileOperation struct {
	Input  *FileRef `json:"input,omitempty"`
	Output *FileRef `json:"output,omitempty"`
}

// A FileShape is a shape in a File.
type FileShape struct {
	Type            Type               `json:"type"`
	Members         map[string]FileRef `json:"members,omitempty"`
	Required        []string           `json:"required,omitempty"`
	Member          *FileRef           `json:"member,omitempty"`
	Key             *FileRef           `json:"key,omitempty"`
	Value           *FileRef           `json:"value,omitempty"`
	Enum            []string           `json:"enum,omitempty"`
	Min             *float64           `json:"min,omitempty"`
	Max             *float64           `json:"max,omitempty"`
	Flattened       bool               `json:"flattened,omitempty"`
	TimestampFormat string             `json:"timestampFormat,omitempty"`
}

// A FileRef is the use of a shape by a member, a list or an operation.
type FileRef struct {
	Shape            string `json:"shape"`
	LocationName     string `json:"locationName,omitempty"`
	QueryName        string `json:"queryName,omitempty"`
	IdempotencyToken bool   `json:"idempotencyToken,omitempty"`
	Flattened        bool   `json:"flattened,omitempty"`
	ResultWrapper    string `json:"resultWrapper,omitempty"`
	TimestampFormat  string `json:"timestampFormat,omitempty"`
}

// Parse reads a File and resolves its references.
func Parse(b []byte) (*Service, error) {
	var f File
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	return f.Resolve()
}

// Resolve turns f into a Service.
func (f *File) Resolve() (*Service, error) {
	s := &Service{
		Version: f.Metadata.APIVersion, Protocol: f.Metadata.Protocol, Namespace: f.Metadata.XMLNamespace, Target: f.Metadata.TargetPrefix,
		Operations: map[string]*Operation{}, Known: map[string]bool{},
	}
	shapes := map[string]*Shape{}
	times := map[string]string{}
	for name, fs := range f.Shapes {
		shapes[name], times[name] = &Shape{Name: name}, fs.TimestampFormat
	}
	for name, fs := range f.Shapes {
		if err := fs.resolve(shapes, times, shapes[name]); err != nil {
			return nil, err
		}
	}
	for name, fo := range f.Operations {
		op := &Operation{Name: name, Input: (&Shape{Name: name + "Request", Type: Structure}).Index(), Paged: slices.Contains(f.Paged, name)}
		if fo.Input != nil {
			op.Input = shapes[fo.Input.Shape]
		}
		if fo.Output != nil {
			op.Output, op.Wrapper = shapes[fo.Output.Shape], fo.Output.ResultWrapper
		}
		if op.Input == nil || fo.Output != nil && op.Output == nil {
			return nil, fmt.Errorf("model: %s lacks a shape", name)
		}
		s.Operations[name] = op
		s.Known[name] = true
	}
	for _, name := range f.Known {
		s.Known[name] = true
	}
	return s, nil
}

func (fs FileShape) resolve(shapes map[string]*Shape, times map[string]string, s *Shape) error {
	s.Type, s.Enum, s.Min, s.Max, s.Flattened = fs.Type, fs.Enum, fs.Min, fs.Max, fs.Flattened
	if s.Type == "character" {
		s.Type = String
	}
	ref := func(name string, r FileRef) (*Member, error) {
		to := shapes[r.Shape]
		if to == nil {
			return nil, fmt.Errorf("model: %s.%s has no shape %s", s.Name, name, r.Shape)
		}
		return &Member{
			Name: Raise(name), Wire: r.LocationName, Query: r.QueryName, Shape: to, Token: r.IdempotencyToken,
			Flattened: r.Flattened, Format: cmp.Or(r.TimestampFormat, times[r.Shape]), Required: slices.Contains(fs.Required, name),
		}, nil
	}
	for _, name := range slices.Sorted(maps.Keys(fs.Members)) {
		m, err := ref(name, fs.Members[name])
		if err != nil {
			return err
		}
		if m.Wire == "" && m.Name != name {
			m.Wire = name
		}
		s.Members = append(s.Members, m)
	}
	for _, part := range []struct {
		to *(*Member)
		of *FileRef
	}{{&s.Element, fs.Member}, {&s.Key, fs.Key}, {&s.Value, fs.Value}} {
		if part.of == nil {
			continue
		}
		m, err := ref("", *part.of)
		if err != nil {
			return err
		}
		*part.to = m
	}
	s.Index()
	return nil
}

// Index makes Member work after Members was filled by hand; it returns s.
func (s *Shape) Index() *Shape {
	s.byName = make(map[string]*Member, len(s.Members))
	for _, m := range s.Members {
		s.byName[m.Name] = m
	}
	return s
}

// Raise returns name with its first letter raised: the Go name of a member.
func Raise(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
