// Package form reads the forms by which browsers upload files, and the policies
// that say what may be uploaded with them.
//
// A form is a multipart body whose fields come before the file. Read stops
// where the file begins, after at most a few kilobytes, so that who sent it and
// what they may is settled before the file is touched. The file then streams.
//
// A policy is signed by who lets a form be used. It is read strictly, and Check
// demands that it speaks of every field, so that a form cannot be given fields
// that its signer did not mean. The package is pure but for the body that it
// reads, and a crash has nothing to undo.
package form

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"unicode/utf8"

	"karri/shared/fault"
)

// What a form is refused with.
var (
	Malformed    = fault.New(fault.Invalid, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
	FilesCount   = fault.New(fault.Invalid, "IncorrectNumberOfFilesInPostRequest", "POST requires exactly one file upload per request.")
	FieldsLong   = fault.New(fault.Invalid, "MaxPostPreDataLengthExceeded", "Your POST request fields preceding the upload file were too large.")
	NotMultipart = fault.New(fault.Conflict, "PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data")
)

const (
	maxFields = 20 << 10 // bytes of all names and values
	maxBefore = 64 << 10 // bytes read before the file begins
	maxAfter  = 64 << 10 // bytes read after it has ended
	maxCount  = 128
)

// A Form is one that has been read up to its file.
type Form struct {
	// Fields are by names in lower case. ${filename} has been replaced.
	Fields map[string]string
	// File is the file. It reaches io.EOF when the form has ended as it should.
	File io.Reader
}

// Read reads the body of a request with the given Content-Type.
func Read(contentType string, body io.Reader) (*Form, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if media != "multipart/form-data" {
		return nil, NotMultipart
	}
	boundary := params["boundary"]
	if err != nil || boundary == "" || len(boundary) > 200 {
		return nil, Malformed
	}
	limited := &budget{r: body, left: maxBefore}
	parts := multipart.NewReader(limited, boundary)
	f := &Form{Fields: map[string]string{}}
	total := 0
	for {
		p, err := parts.NextRawPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil, FilesCount
		case err != nil:
			return nil, trouble(err)
		}
		name := strings.ToLower(p.FormName())
		if name == "file" {
			f.fill(baseName(p))
			limited.left = -1
			f.File = &file{part: p, parts: parts, budget: limited}
			return f, nil
		}
		if name == "" {
			return nil, Malformed
		}
		value, err := io.ReadAll(p)
		if err != nil {
			return nil, trouble(err)
		}
		if total += len(name) + len(value); total > maxFields || len(f.Fields) == maxCount {
			return nil, FieldsLong
		}
		if _, twice := f.Fields[name]; twice || !utf8.ValidString(name) || !utf8.Valid(value) {
			return nil, Malformed
		}
		f.Fields[name] = string(value)
	}
}

// fill replaces ${filename} in all fields but those that are signed as they are.
func (f *Form) fill(filename string) {
	for name, v := range f.Fields {
		if !free[name] && name != "x-amz-credential" {
			f.Fields[name] = strings.ReplaceAll(v, "${filename}", filename)
		}
	}
}

// baseName returns the name of the file without the folders that some browsers
// tell.
func baseName(p *multipart.Part) string {
	_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	if err != nil || !utf8.ValidString(params["filename"]) {
		return ""
	}
	name := params["filename"]
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

func trouble(err error) error {
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f
	}
	return Malformed.Because(err)
}

// A budget reads at most left bytes; any number when left is negative.
type budget struct {
	r    io.Reader
	left int64
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, FieldsLong
	}
	if b.left > 0 && int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	if b.left > 0 {
		b.left -= int64(n)
	}
	return n, err
}

// A file hands out the file and then sees to it that the form ends well.
type file struct {
	part   *multipart.Part
	parts  *multipart.Reader
	budget *budget
	err    error
}

func (f *file) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.part.Read(p)
	if err == nil {
		return n, nil
	}
	if !errors.Is(err, io.EOF) {
		f.err = trouble(err)
		return 0, f.err
	}
	f.err = f.end()
	if n > 0 && errors.Is(f.err, io.EOF) {
		return n, nil
	}
	return n, f.err
}

// end reads what comes after the file, which is ignored but for a second file,
// and the body to its end, where it is proven.
func (f *file) end() error {
	f.budget.left = maxAfter
	for {
		p, err := f.parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return trouble(err)
		}
		if strings.EqualFold(p.FormName(), "file") {
			return FilesCount
		}
	}
	rest := bufio.NewReaderSize(f.budget, 512)
	for {
		if _, err := rest.Discard(512); errors.Is(err, io.EOF) {
			return io.EOF
		} else if err != nil {
			return trouble(err)
		}
	}
}
