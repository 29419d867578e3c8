//! The result of a query as a stream of rows: from its CSV in S3, or page by page from Athena. Only one piece at a time is in
//! memory.

use aws_sdk_s3::primitives::ByteStream;

use super::client::{Athena, Execution};
use super::csv::{CsvError, Reader};
use super::row::Row;
use crate::aws::error::causes;
use crate::aws::{CallError, ErrorClass};
use crate::model::Region;

/// The maximum number of consecutive retries of a failed connection without any bytes received.
const BROKEN_CONNECTIONS: u32 = 5;

/// Why a result can't be read completely.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The object is not Athena's CSV.
    #[error("{location}: {error}")]
    Csv {
        /// The object.
        location: String,
        /// The error in the file.
        error: CsvError,
    },
    /// There is not even the row with the names of the columns.
    #[error("{location}: the result is empty; it should begin with the names of its columns")]
    Empty {
        /// The object, or the query.
        location: String,
    },
    /// The connection failed repeatedly.
    #[error("{location}: the connection failed {BROKEN_CONNECTIONS} times after {read} of {length} bytes: {reason}")]
    Broken {
        /// The object.
        location: String,
        /// Bytes received.
        read: u64,
        /// The size of the object in bytes.
        length: u64,
        /// The last failure.
        reason: String,
    },
}

/// The rows of a result. The first row has the column names.
#[derive(Debug)]
pub(super) enum Results {
    /// From S3.
    Csv(Box<Csv>),
    /// From Athena.
    Pages(Pages),
}

impl Results {
    /// Opens the result of a query that succeeded. If access to its object is denied, or there is none (managed results),
    /// it is read page by page from Athena. The second value is then a message.
    ///
    /// # Errors
    /// The result was deleted, or S3 can't be reached.
    pub(super) async fn open(
        athena: &Athena,
        s3: aws_sdk_s3::Client,
        region: &Region,
        execution: &Execution,
    ) -> Result<(Self, Option<String>), ResultsError> {
        let pages = || Self::Pages(Pages { athena: athena.clone(), id: execution.id.clone(), next: Next::First });
        let Some(location) = execution.output.as_deref() else {
            return Ok((
                pages(),
                Some("the workgroup has managed results: reading the result page by page".to_owned()),
            ));
        };
        let Some((bucket, key)) = location.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) else {
            return Ok((pages(), Some(format!("{location} is not an S3 object: reading the result page by page"))));
        };
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let source = Source { s3, region: region.clone(), bucket, key, location: location.to_owned() };
        match Csv::open(source).await {
            Ok(csv) => Ok((Self::Csv(Box::new(csv)), None)),
            Err(error) if may_be_read_by_pages(&error) => {
                Ok((pages(), Some(format!("{error}: reading the result page by page from Athena, which is slower"))))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the next rows. `None` after the last. Never an empty list.
    ///
    /// # Errors
    /// The result can't be read further.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Row>>, ResultsError> {
        match self {
            Self::Csv(csv) => csv.next().await,
            Self::Pages(pages) => Ok(pages.next().await?),
        }
    }
}

/// Whether Athena can still return a result that S3 does not: Athena reads it itself, in its own region.
fn may_be_read_by_pages(error: &CallError) -> bool {
    error.class == ErrorClass::AccessDenied
        || ["PermanentRedirect", "AuthorizationHeaderMalformed"].contains(&error.code.as_str())
}

/// A result page by page.
#[derive(Debug)]
pub(super) struct Pages {
    athena: Athena,
    id: String,
    next: Next,
}

#[derive(Debug)]
enum Next {
    First,
    Token(String),
    End,
}

impl Pages {
    async fn next(&mut self) -> Result<Option<Vec<Row>>, CallError> {
        loop {
            let token = match &self.next {
                Next::First => None,
                Next::Token(token) => Some(token.as_str()),
                Next::End => return Ok(None),
            };
            let page = self.athena.page(&self.id, token).await?;
            self.next = page.next.map_or(Next::End, Next::Token);
            if !page.rows.is_empty() {
                return Ok(Some(page.rows));
            }
        }
    }
}

/// A result in S3.
#[derive(Debug)]
pub(super) struct Csv {
    source: Source,
    etag: Option<String>,
    length: u64,
    read: u64,
    body: ByteStream,
    reader: Option<Reader>,
    broken: u32,
}

#[derive(Debug)]
struct Source {
    s3: aws_sdk_s3::Client,
    region: Region,
    bucket: String,
    key: String,
    location: String,
}

impl Source {
    /// Requests the object from an offset on. `etag` makes sure that it is unchanged.
    async fn get(
        &self,
        from: u64,
        etag: Option<&str>,
    ) -> Result<aws_sdk_s3::operation::get_object::GetObjectOutput, CallError> {
        let range = (from > 0).then(|| format!("bytes={from}-"));
        let request = self.s3.get_object().bucket(&self.bucket).key(&self.key);
        let request = request.set_range(range).set_if_match(etag.map(str::to_owned));
        request.send().await.map_err(|error| {
            let error = CallError::of_sdk("s3:GetObject", &self.region, &error);
            CallError { message: format!("{}: {}", self.location, error.message), ..error }
        })
    }
}

impl Csv {
    async fn open(source: Source) -> Result<Self, CallError> {
        let object = source.get(0, None).await?;
        let length = object.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
        let reader = Some(Reader::default());
        Ok(Self { source, etag: object.e_tag, length, read: 0, body: object.body, reader, broken: 0 })
    }

    async fn next(&mut self) -> Result<Option<Vec<Row>>, ResultsError> {
        let mut rows = Vec::new();
        while rows.is_empty() {
            let Some(reader) = &mut self.reader else { return Ok(None) };
            match self.body.next().await {
                Some(Ok(bytes)) => {
                    self.read += bytes.len() as u64;
                    self.broken = 0;
                    reader.feed(&bytes, &mut rows).map_err(|error| self.source.csv_error(error))?;
                }
                Some(Err(error)) => self.resume(causes(&error)).await?,
                None if self.read < self.length => self.resume("it ended early".to_owned()).await?,
                None => {
                    let reader = self.reader.take().expect("looked at above");
                    reader.finish(&mut rows).map_err(|error| self.source.csv_error(error))?;
                    if rows.is_empty() {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(rows))
    }

    /// Resumes reading after the connection failed.
    async fn resume(&mut self, reason: String) -> Result<(), ResultsError> {
        self.broken += 1;
        if self.broken > BROKEN_CONNECTIONS {
            let location = self.source.location.clone();
            return Err(ResultsError::Broken { location, read: self.read, length: self.length, reason });
        }
        tracing::info!("{}: the connection failed after {} bytes: {reason}", self.source.location, self.read);
        self.body = self.source.get(self.read, self.etag.as_deref()).await?.body;
        Ok(())
    }
}

impl Source {
    fn csv_error(&self, error: CsvError) -> ResultsError {
        ResultsError::Csv { location: self.location.clone(), error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region as SdkRegion};

    use crate::aws::test_server::{TestServer, answer};

    fn client(server: &TestServer) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(SdkRegion::new("us-east-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .endpoint_url(format!("http://{}", server.address))
            .force_path_style(true)
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Reads the rows with these responses of the server.
    fn read(answers: Vec<String>) -> (Result<Vec<Row>, ResultsError>, Vec<String>) {
        let server = TestServer::start(answers);
        let s3 = client(&server);
        let text = str::to_owned;
        let source = Source {
            s3,
            region: "us-east-1".into(),
            bucket: text("b"),
            key: text("q.csv"),
            location: text("s3://b/q.csv"),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let rows = runtime.block_on(async {
            let (mut csv, mut rows) = (Csv::open(source).await?, Vec::new());
            while let Some(more) = csv.next().await? {
                rows.extend(more);
            }
            Ok(rows)
        });
        (rows, server.heads.join().unwrap())
    }

    #[test]
    fn failed_connection_is_resumed() {
        let file = "\"a\",\"b\"\n\"1\",\n\"tw\u{f6}\",\"\"\n";
        let (first, rest) = file.as_bytes().split_at(18);
        let first = String::from_utf8_lossy(first).into_owned();
        let rest = String::from_utf8_lossy(rest).into_owned();
        let answers = vec![
            answer("200 OK", file.len(), &first),
            answer("206 Partial Content", rest.len(), ""),
            answer("206 Partial Content", rest.len(), &rest),
        ];
        let (rows, heads) = read(answers);
        let value = |text: &str| Some(text.to_owned());
        let wanted = [vec![value("a"), value("b")], vec![value("1"), None], vec![value("tw\u{f6}"), value("")]];
        assert_eq!(rows.unwrap(), wanted);
        assert!(!heads[0].contains("range:"), "{}", heads[0]);
        for head in &heads[1..] {
            assert!(head.contains("range: bytes=18-") && head.contains("if-match: \"e\""), "{head}");
        }
    }

    #[test]
    fn repeatedly_failing_connection_is_an_error() {
        let mut answers = vec![answer("200 OK", 100, "\"a\"\n")];
        answers.extend((0..BROKEN_CONNECTIONS).map(|_| answer("206 Partial Content", 96, "")));
        let (rows, heads) = read(answers);
        assert_eq!(u32::try_from(heads.len()), Ok(BROKEN_CONNECTIONS + 1));
        let error = rows.unwrap_err().to_string();
        assert!(error.contains("s3://b/q.csv") && error.contains("after 4 of 100 bytes"), "{error}");
    }
}
