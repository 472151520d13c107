//! The peer: PostgreSQL with PostGIS, with the same rows, suitable indexes and prepared statements.

use std::fmt::Write;

use anyhow::{Context, Result};
use postcode_core::dataset::Dataset;
use postcode_core::{AreaKind, Location, Postcode, Record, Region, Status, Within};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Row};

/// The columns of an answer: everything that the embedded data has for a postcode.
const COLUMNS: &str = "p.pcds, p.live, p.eastings, p.northings, p.latitude, p.longitude, \
                       p.district_code, p.district, p.region_code, p.region, p.country_code, p.country";

/// The point of a query.
const POINT: &str = "SELECT ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography AS geog";

/// The settings of the connection: plans are made once, and none is compiled, which takes longer
/// than any of these queries.
const SETTINGS: &str = "SET jit = off; SET plan_cache_mode = force_generic_plan";

/// Texts are compared by byte, which is the order of postcodes.
const TABLE: &str = r#"
DROP SCHEMA IF EXISTS postcode_bench CASCADE;
CREATE SCHEMA postcode_bench;
CREATE UNLOGGED TABLE postcode_bench.postcodes (
    pc text COLLATE "C" NOT NULL, pcds text COLLATE "C" NOT NULL, live boolean NOT NULL,
    eastings integer, northings integer, latitude float8, longitude float8, geog geography(Point, 4326),
    district_code text COLLATE "C", district text, region_code text, region text, country_code text, country text,
    geom geometry(Point, 4326) GENERATED ALWAYS AS (geog::geometry) STORED
)"#;

const COPY: &str = "COPY postcode_bench.postcodes (pc, pcds, live, eastings, northings, latitude, longitude, geog, \
                    district_code, district, region_code, region, country_code, country) FROM STDIN";

const INDEXES: [&str; 7] = [
    "ALTER TABLE postcode_bench.postcodes ADD PRIMARY KEY (pc)",
    "CREATE INDEX ON postcode_bench.postcodes (pcds text_pattern_ops) WHERE live",
    "CREATE INDEX ON postcode_bench.postcodes USING gist (geog) WHERE live",
    "CREATE INDEX ON postcode_bench.postcodes USING gist (geom) WHERE live",
    "CREATE INDEX ON postcode_bench.postcodes (district_code, pcds) WHERE live",
    "VACUUM (ANALYZE) postcode_bench.postcodes",
    "CHECKPOINT",
];

/// Rows sent at a time.
const CHUNK: usize = 10_000;

/// One connection, as for `tcp`.
pub(crate) struct Postgis {
    connection: PgConnection,
    lookup: String,
    bulk: String,
    nearest: String,
    circle: String,
    polygon: String,
    district: String,
}

impl Postgis {
    /// Connects and looks for PostGIS. Returns the reason if it can't be measured.
    pub(crate) async fn connect(url: &str) -> Result<Self, String> {
        let connected = PgConnection::connect(url).await;
        let mut connection = connected.map_err(|e| format!("no PostgreSQL at {url}: {e}"))?;
        sqlx::query("CREATE EXTENSION IF NOT EXISTS postgis")
            .execute(&mut connection)
            .await
            .map_err(|e| format!("no PostGIS in the PostgreSQL at {url}: {e}"))?;
        let settings = sqlx::raw_sql(SETTINGS).execute(&mut connection).await;
        settings.map_err(|e| format!("PostgreSQL at {url}: {e}"))?;
        Ok(Self {
            connection,
            lookup: format!("SELECT {COLUMNS} FROM postcode_bench.postcodes p WHERE p.pc = $1"),
            bulk: format!(
                "SELECT q.n, {COLUMNS} FROM unnest($1::text[]) WITH ORDINALITY q(pc, n) \
                 LEFT JOIN postcode_bench.postcodes p ON p.pc = q.pc ORDER BY q.n"
            ),
            // The index orders by distance on a sphere, so a few more rows are fetched and then
            // ordered by the ellipsoid. With ST_DWithin in front, the planner fetches everything
            // within the radius, which is 150 times as slow in London.
            nearest: format!(
                "WITH q AS MATERIALIZED ({POINT}) SELECT * FROM (\
                   SELECT {COLUMNS}, ST_Distance(p.geog, q.geog) AS distance FROM q CROSS JOIN LATERAL (\
                     SELECT * FROM postcode_bench.postcodes p WHERE p.live ORDER BY p.geog <-> q.geog LIMIT 4 * $4\
                   ) p) f WHERE f.distance <= $3 ORDER BY f.distance, f.pcds LIMIT $4"
            ),
            circle: format!(
                "WITH q AS MATERIALIZED ({POINT}) SELECT {COLUMNS} FROM q, postcode_bench.postcodes p \
                 WHERE p.live AND ST_DWithin(p.geog, q.geog, $3) ORDER BY p.pcds LIMIT $4"
            ),
            // Edges are straight in degrees and included, as in our polygons. Materialized, so that
            // the text is parsed once and not for each row.
            polygon: format!(
                "WITH q AS MATERIALIZED (SELECT ST_GeomFromText($1, 4326) AS geom) \
                 SELECT {COLUMNS} FROM q, postcode_bench.postcodes p \
                 WHERE p.live AND ST_Intersects(q.geom, p.geom) ORDER BY p.pcds LIMIT $2"
            ),
            district: format!(
                "SELECT {COLUMNS} FROM postcode_bench.postcodes p \
                 WHERE p.live AND p.district_code = $1 ORDER BY p.pcds LIMIT $2"
            ),
        })
    }

    /// Returns the versions, for the report.
    pub(crate) async fn version(&mut self) -> Result<String> {
        let query = "SELECT split_part(version(), ' (', 1) || ', PostGIS ' || postgis_lib_version()";
        Ok(sqlx::query_scalar(query).fetch_one(&mut self.connection).await?)
    }

    /// Loads all rows of a dataset, and builds the indexes.
    pub(crate) async fn load(&mut self, dataset: &Dataset) -> Result<u64> {
        sqlx::raw_sql(TABLE).execute(&mut self.connection).await?;
        let mut copy = self.connection.copy_in_raw(COPY).await.context("COPY")?;
        let mut text = String::new();
        for (n, record) in dataset.iter().enumerate() {
            line(&mut text, &record)?;
            if n % CHUNK == CHUNK - 1 {
                copy.send(text.as_bytes()).await?;
                text.clear();
            }
        }
        copy.send(text.as_bytes()).await?;
        let rows = copy.finish().await?;
        for statement in INDEXES {
            sqlx::query(statement).execute(&mut self.connection).await.context(statement)?;
        }
        Ok(rows)
    }

    /// Removes everything again.
    pub(crate) async fn drop_all(&mut self) -> Result<()> {
        sqlx::query("DROP SCHEMA postcode_bench CASCADE").execute(&mut self.connection).await?;
        Ok(())
    }

    pub(crate) async fn lookup(&mut self, postcode: Postcode) -> Result<Option<Found>> {
        let query = sqlx::query(sqlx::AssertSqlSafe(self.lookup.as_str()))
            .bind(postcode.compact().as_str().to_owned());
        query.fetch_optional(&mut self.connection).await?.map(|row| Found::of(&row)).transpose()
    }

    pub(crate) async fn bulk(&mut self, postcodes: &[Postcode]) -> Result<Vec<Option<Found>>> {
        let texts: Vec<String> = postcodes.iter().map(|postcode| postcode.compact().to_string()).collect();
        let query = sqlx::query(sqlx::AssertSqlSafe(self.bulk.as_str())).bind(texts);
        let rows = query.fetch_all(&mut self.connection).await?;
        let found = |row: &PgRow| row.try_get::<Option<String>, _>("pcds").map(|pcds| pcds.is_some());
        rows.iter().map(|row| if found(row)? { Found::of(row).map(Some) } else { Ok(None) }).collect()
    }

    pub(crate) async fn autocomplete(&mut self, prefix: &str, limit: i64) -> Result<Vec<String>> {
        // A prefix in a prepared statement is a range, because LIKE would not use the index.
        let query = "SELECT pcds FROM postcode_bench.postcodes \
                     WHERE live AND pcds ~>=~ $1 AND pcds ~<~ $2 ORDER BY pcds USING ~<~ LIMIT $3";
        let query = sqlx::query_scalar(query).bind(prefix.to_owned()).bind(format!("{prefix}~")).bind(limit);
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    pub(crate) async fn nearest(
        &mut self,
        at: Location,
        radius: f64,
        limit: i64,
    ) -> Result<Vec<(Found, f64)>> {
        let query = sqlx::query(sqlx::AssertSqlSafe(self.nearest.as_str()));
        let query = query.bind(at.longitude()).bind(at.latitude()).bind(radius).bind(limit);
        let rows = query.fetch_all(&mut self.connection).await?;
        rows.iter().map(|row| Ok((Found::of(row)?, row.try_get("distance")?))).collect()
    }
}

/// Queries for regions.
impl Postgis {
    /// Returns a page of the postcodes of a circle, a polygon or a district.
    pub(crate) async fn within(&mut self, query: &Within) -> Result<Vec<Found>> {
        let limit = query.limit as i64;
        let rows = match &query.region {
            Region::Circle { centre, radius } => {
                let query = sqlx::query(sqlx::AssertSqlSafe(self.circle.as_str()));
                let query = query.bind(centre.longitude()).bind(centre.latitude()).bind(*radius).bind(limit);
                query.fetch_all(&mut self.connection).await?
            }
            Region::Polygon(corners) => {
                let corner = |at: &Location| format!("{} {}", at.longitude(), at.latitude());
                let ring: Vec<String> = corners.iter().chain(corners.first()).map(corner).collect();
                let query = sqlx::query(sqlx::AssertSqlSafe(self.polygon.as_str()));
                let query = query.bind(format!("POLYGON(({}))", ring.join(","))).bind(limit);
                query.fetch_all(&mut self.connection).await?
            }
            Region::Area { code, .. } => {
                let query = sqlx::query(sqlx::AssertSqlSafe(self.district.as_str()));
                query.bind(code.as_str()).bind(limit).fetch_all(&mut self.connection).await?
            }
            other => anyhow::bail!("{other} is not measured"),
        };
        rows.iter().map(Found::of).collect()
    }
}

/// A row as a program would hold it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) pcds: String,
    pub(crate) live: bool,
    pub(crate) grid: (Option<i32>, Option<i32>),
    pub(crate) location: (Option<f64>, Option<f64>),
    /// The codes and names of district, region and country.
    pub(crate) areas: [Option<String>; 6],
}

impl Found {
    fn of(row: &PgRow) -> Result<Self> {
        let areas = ["district_code", "district", "region_code", "region", "country_code", "country"];
        let mut texts: [Option<String>; 6] = Default::default();
        for (text, column) in texts.iter_mut().zip(areas) {
            *text = row.try_get(column)?;
        }
        Ok(Self {
            pcds: row.try_get("pcds")?,
            live: row.try_get("live")?,
            grid: (row.try_get("eastings")?, row.try_get("northings")?),
            location: (row.try_get("latitude")?, row.try_get("longitude")?),
            areas: texts,
        })
    }
}

/// Writes a record as a line of COPY's text format.
fn line(text: &mut String, record: &Record) -> Result<()> {
    let mut cell = |value: Option<String>| {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\t');
        }
        match value {
            Some(value) => text.extend(value.chars().filter(|c| !c.is_control() && *c != '\\')),
            None => text.push_str("\\N"),
        }
    };
    cell(Some(record.postcode.compact().to_string()));
    cell(Some(record.postcode.to_string()));
    cell(Some(if record.status == Status::Live { "t" } else { "f" }.to_owned()));
    cell(record.grid.map(|grid| grid.eastings.to_string()));
    cell(record.grid.map(|grid| grid.northings.to_string()));
    cell(record.location.map(|at| at.latitude().to_string()));
    cell(record.location.map(|at| at.longitude().to_string()));
    cell(record.location.map(|at| format!("SRID=4326;POINT({} {})", at.longitude(), at.latitude())));
    for kind in [AreaKind::AdminDistrict, AreaKind::Region, AreaKind::Country] {
        let area = record.area(kind);
        cell(area.and_then(|area| area.code).map(str::to_owned));
        cell(area.and_then(|area| area.name).map(str::to_owned));
    }
    text.write_char('\n')?;
    Ok(())
}
