"""Small made-up files in the very layouts of published datasets, zipped as their publishers zip them."""

from __future__ import annotations

from tests.data.made_up import zipped

DAT = {
    "ratings.dat": b"2::30::5::978300760\n1::30::3::978302109\n1::7::4::978301968\n7::4000::1::978300275\n",
    "movies.dat": (
        "7::Pocket Comet (1995)::Animation|Children's\n30::Été à Brême, L' (1961)::Drama\n"
        "4000::Sequel: Again :: Twice (2000)::Comedy|Sci-Fi\n5000::Never Rated (1999)::War\n"
    ).encode("latin-1"),
    "users.dat": b"1::F::1::10::48067\n2::M::56::16::70072\n7::M::25::15::55117\n",
}
HALF_DAT = {
    "ratings.dat": b"1::122::5::838985046\n1::185::0.5::838983525\n9::122::3.5::838983392\n",
    "movies.dat": "122::Boomerang Café (1992)::Comedy|Romance\n185::Net Gains (1995)::(no genres listed)\n".encode(),
}
CSV = {
    "ratings.csv": b"userId,movieId,rating,timestamp\r\n1,296,5.0,1147880044\r\n1,306,3.5,1147868817\r\n2,296,0.5,1147868828\n",
    "movies.csv": (
        'movieId,title,genres\r\n296,"Saint, The (1995)",Comedy|Crime\r\n'
        '306,"Say ""Hi"", Ana (Olá) (1994)",(no genres listed)\r\n999,Babylon 5,Sci-Fi\r\n'
    ).encode(),
}
GOODBOOKS = {
    "ratings.csv": b"user_id,book_id,rating\n1,258,5\n2,4081,4\n2,258,5\n",
    "books.csv": (
        b"book_id,goodreads_book_id,authors,original_publication_year,title\n"
        b'258,2767052,"Ana Silva, Bo Ek",2008.0,"The Comet (Comets, #1)"\n4081,3,Plato,-380.0,Republic\n7,1,Nobody,,Unread\n'
    ),
}
BOOK_CROSSING = {
    "BX-Book-Ratings.csv": (
        '"User-ID";"ISBN";"Book-Rating"\r\n"276725";"034545104X";"0"\r\n"276726";"0155061224";"5"\r\n'
        '"276729";"0521795028";"10"\r\n"276729";"\\"0432534220\\"";"6"\r\n"276730";"cn113107é";"1"\r\n'
    ).encode("latin-1"),
    "BX-Books.csv": (
        '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S";"Image-URL-M";"Image-URL-L"\r\n'
        '"0155061224";"Rites of Passage &amp; \\"Other\\" Tales; 2nd";"Judith Rae";"2001";"Heinle";"a";"b";"c"\r\n'
        '"0521795028";"The Amsterdam Café";"Penelope";"0";"CUP";"a";"b";"c"\r\n'
    ).encode("latin-1"),
}
LASTFM = {
    "user_artists.dat": b"userID\tartistID\tweight\r\n2\t51\t13883\r\n2\t52\t11690\r\n4\t51\t352698\r\n",
    "artists.dat": 'id\tname\turl\tpictureURL\r\n51\tDüran "Düran\thttp://x\thttp://y\r\n52\t=1+1\thttp://x\r\n'.encode(),
}
NCF = {
    "ml-1m.train.rating": b"0\t32\t4\t978824330\n0\t34\t4\t978824330\n1\t4\t5\t978824351\n1\t25\t2\t978824352\n",
    "ml-1m.test.rating": b"0\t25\t5\t978824351\n1\t32\t3\t978824353\n",
    "ml-1m.test.negative": b"(0,25)\t4\t99\n(1,32)\t34\t99\n",
}
PINTEREST = {
    "pinterest-20.train.rating": b"0\t0\t1\n0\t1\t1\n1\t2\t1\n1\t0\t1\n1\t0\t1\n",
    "pinterest-20.test.rating": b"0\t2\t1\n1\t1\t1\n1\t2\t1\n",
    "pinterest-20.test.negative": b"(0,2)\t3\t4\n(1,1)\t3\t4\n",
}


def workbook(rows: list[list[float]]) -> bytes:
    """A sheet of numbers, as a workbook that holds nothing else."""
    ns = "http://schemas.openxmlformats.org"
    cells = "".join("<row>" + "".join(f"<c><v>{value!r}</v></c>" for value in row) + "</row>" for row in rows)
    rel = f"{ns}/officeDocument/2006/relationships"
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{ns}/package/2006/content-types"/>'.encode(),
            "_rels/.rels": (
                f'<Relationships xmlns="{ns}/package/2006/relationships">'
                f'<Relationship Id="r1" Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
            ).encode(),
            "xl/workbook.xml": (
                f'<workbook xmlns="{ns}/spreadsheetml/2006/main" xmlns:r="{rel}">'
                '<sheets><sheet name="jester" sheetId="1" r:id="r1"/></sheets></workbook>'
            ).encode(),
            "xl/_rels/workbook.xml.rels": (
                f'<Relationships xmlns="{ns}/package/2006/relationships">'
                f'<Relationship Id="r1" Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
            ).encode(),
            "xl/worksheets/sheet1.xml": (
                f'<worksheet xmlns="{ns}/spreadsheetml/2006/main"><sheetData>{cells}</sheetData></worksheet>'
            ).encode(),
        }
    )


def jester_row(**rated: float) -> list[float]:
    """One person: how many jokes they rated, then 100 of them; ``j3=-9.5`` is the third."""
    row = [float(len(rated)), *[99.0] * 100]
    for name, value in rated.items():
        row[int(name[1:])] = value
    return row


JESTER = {
    "jester-data-1.xls": workbook([jester_row(j1=-7.82, j100=8.79), jester_row(j3=0.0)]),
    "jester-data-2.xls": workbook([jester_row(j3=10.0)]),
    "jester-data-3.xls": workbook([jester_row(j2=-10.0, j3=1.5)]),
}

ARCHIVES = {
    "ml-latest-small": {"ml-latest-small.zip": zipped(CSV, "ml-latest-small")},
    "ml-1m": {"ml-1m.zip": zipped(DAT, "ml-1m")},
    "ml-10m": {"ml-10m.zip": zipped(HALF_DAT, "ml-10M100K")},
    "ml-20m": {"ml-20m.zip": zipped(CSV, "ml-20m")},
    "ml-25m": {"ml-25m.zip": zipped(CSV, "ml-25m")},
    "ml-32m": {"ml-32m.zip": zipped(CSV, "ml-32m")},
    "goodbooks-10k": {"goodbooks-10k.zip": zipped(GOODBOOKS, "goodbooks-10k")},
    "book-crossing": {"BX-CSV-Dump.zip": zipped(BOOK_CROSSING)},
    "jester": {
        f"jester_dataset_1_{n}.zip": zipped({f"jester-data-{n}.xls": JESTER[f"jester-data-{n}.xls"]}) for n in (1, 2, 3)
    },
    "lastfm-2k": {"hetrec2011-lastfm-2k.zip": zipped(LASTFM)},
    "ncf-ml-1m": NCF,
    "ncf-pinterest-20": PINTEREST,
}
"""What each published dataset's server holds, by file name."""
