BEGIN TRANSACTION;
CREATE TABLE blobs (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, content_type TEXT NOT NULL, size INTEGER NOT NULL,
        etag TEXT NOT NULL, keep_until INTEGER NOT NULL, owner TEXT, recipe TEXT, facts TEXT,
        PRIMARY KEY (epoch, key));
INSERT INTO "blobs" VALUES(1,'AFFFBDFEC2ADCA47F979EE71EE2262CC3328EAED4152AD921ADB0DCA4F34F02D','image/png',1712,'d48af0a87e3afb86bc61f0118fc664fc',3373598520000000,'civitai-1',NULL,NULL);
INSERT INTO "blobs" VALUES(1,'EA61175BB40EEA832BB67CC8A75E30DAAC164F642C948EA8DCE2222735634547','image/png',0,'',3373598520000000,'civitai-1','{"painter":1,"job":"f83ad22e-5f06-4c7d-9930-e7499ccc5119","node":"SaveImage","index":1,"content":"blank"}',NULL);
INSERT INTO "blobs" VALUES(1,'091AE385C4DA7FDD3F88D46D8B5A4541E3CD1FCE2B8B11EB91EFCE493D60BCA1','image/png',0,'',3373598521000000,'civitai-1','{"painter":1,"job":"37d7d592-4e6e-4148-b71a-edc8436f2a36","node":"SaveImage","index":0,"content":"blank"}',NULL);
INSERT INTO "blobs" VALUES(1,'f172e0a0-1a45-526b-99ac-0ce48d75e717-0.jpg','image/jpeg',0,'',3376190523000000,'civitai-1','{"painter":1,"job":"f172e0a0-1a45-526b-99ac-0ce48d75e717","node":"SaveImage","index":0,"content":"blank","file":{"format":"jpeg","quality":85,"is_lossless":false,"has_metadata":true,"note":null}}','{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"f172e0a0-1a45-526b-99ac-0ce48d75e717","workflowId":"1-20761125064203000"}');
CREATE TABLE counters (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (epoch, key)) WITHOUT ROWID
    ;
CREATE TABLE ended_epochs (number INTEGER PRIMARY KEY, revision INTEGER NOT NULL);
CREATE TABLE "jobs" (
        number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
        issued_by TEXT NOT NULL,
        submission_id TEXT NOT NULL, cost REAL NOT NULL, charged INTEGER NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, changed_at INTEGER NOT NULL, stage TEXT NOT NULL,
        retry_attempt INTEGER NOT NULL, outcome TEXT, provider TEXT, worker_id TEXT, claimed_at INTEGER,
        lease_until INTEGER, prompt_id TEXT, waits INTEGER NOT NULL, result TEXT, taint TEXT,
        callback_due_at INTEGER, callback_told INTEGER NOT NULL DEFAULT -1,
        callback_failures INTEGER NOT NULL DEFAULT 0, moved_by TEXT, polls INTEGER NOT NULL DEFAULT 0,
        UNIQUE (epoch, id));
INSERT INTO "jobs" VALUES(1,1,'f83ad22e-5f06-4c7d-9930-e7499ccc5119','TextToImageV2','civitai-1','f6a94dbd-d328-49cc-96d0-a8147d2a3bad',0.004,1,0,3373512120000000,3373598520000000,3373598520000000,'[[null,7,true],[null,7,true]]',4,3373512120000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'f1119955-5152-4ae9-97f7-b190235f1c0e',0,NULL,NULL,NULL,-1,0,NULL,0);
INSERT INTO "jobs" VALUES(2,1,'37d7d592-4e6e-4148-b71a-edc8436f2a36','Comfy','civitai-1','22a7e2c3-9a5f-472b-a731-f3ca20597a33',1.0,1,0,3373512121000000,3373598521000000,3373598521000000,'[[null,1234567890,true,"SaveImage_0.png"]]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'67f514e9-1159-47e4-8722-8a59c0506428',0,NULL,NULL,NULL,-1,0,NULL,0);
INSERT INTO "jobs" VALUES(3,1,'dc44f577-ab09-48e3-9514-ff61141f573b','WDTagging','civitai-1','b92d5196-973e-4293-8dd1-d106c9805d95',1.0,1,0,3373512122000000,3373598522000000,3373598522000000,'[]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,NULL,0,'{"tags":{"solo":0.8754,"snow":0.8445,"flower":0.8444,"smile":0.8292,"brown_hair":0.7789,"tree":0.6779,"grass":0.6164,"night":0.5493,"blue_sky":0.5368,"day":0.5103},"rating":{"general":0.9121,"sensitive":0.0279,"questionable":0.0306,"explicit":0.0293}}',NULL,NULL,-1,0,NULL,0);
INSERT INTO "jobs" VALUES(4,1,'f172e0a0-1a45-526b-99ac-0ce48d75e717','TextToImageV2','civitai-1','f40a0527-0a28-5f9f-953b-974046aac3f4',2.56000000000000049737e+00,0,-10,3373512123000000,3373598523000000,3376190523000000,'[["f172e0a0-1a45-526b-99ac-0ce48d75e717-0.jpg",7,true,null,{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"f172e0a0-1a45-526b-99ac-0ce48d75e717","workflowId":"1-20761125064203000"}]]',4,3373512123000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'f2e1e29f-a863-445d-ba43-e9ff21216406',0,NULL,NULL,NULL,-1,0,NULL,0);
INSERT INTO "jobs" VALUES(5,1,'8c45df6b-b5ae-4390-979f-89408390bf77','TextToImageV2','civitai-1','eae30bc2-76f6-4a48-bb76-154a0336d8fc',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,3373512124000000,-1,0,NULL,0);
INSERT INTO "jobs" VALUES(6,1,'6ab64af6-518f-4482-b3ed-0ef05ce0266d','TextToImageV2','civitai-1','407d78bd-43a4-465d-9074-2360a2266076',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0);
INSERT INTO "jobs" VALUES(7,1,'4d9f342c-a89a-488a-a748-e33c5e4c3e06','TextToImageV2','civitai-1','407d78bd-43a4-465d-9074-2360a2266076',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,-1,0,NULL,0);
INSERT INTO "jobs" VALUES(8,1,'645a1e5b-306c-4bb4-9b18-4adbc9030994','TextToImageV2','civitai-1','4349e6e4-b9cf-4d11-8dcc-c198c237c6b6',0.002,1,0,3373512125000000,3373598525000000,3373598525000000,'[[null,7,false]]',1,3373512125000000,'QUEUED',0,'DELETED',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0);
INSERT INTO "jobs" VALUES(9,1,'d0dff223-d73d-51f9-9063-b750c77656da','TextToImageV2','civitai-1','42b07c8c-e08c-5d1d-9d35-d2aa55decc9e',2.56000000000000049737e+00,0,-10,3373512126000000,3373598526000000,3376190526000000,'[["d0dff223-d73d-51f9-9063-b750c77656da-0.jpg",7,false,null,{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"d0dff223-d73d-51f9-9063-b750c77656da","workflowId":"1-20761125064206000"}]]',0,3373512126000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0);
CREATE TABLE "jobs announcements" (
        workflow INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (workflow, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs announcements" VALUES(1,0,3373512123000000,'[0,"workflow","","unassigned"]');
INSERT INTO "jobs announcements" VALUES(1,1,3373512123000000,'[0,"step","$0","unassigned"]');
INSERT INTO "jobs announcements" VALUES(1,2,3373512123000000,'[0,"workflow","","processing"]');
INSERT INTO "jobs announcements" VALUES(1,3,3373512123000000,'[0,"step","$0","processing"]');
INSERT INTO "jobs announcements" VALUES(1,4,3373512123000000,'[0,"step","$0","succeeded"]');
INSERT INTO "jobs announcements" VALUES(1,5,3373512123000000,'[0,"workflow","","succeeded"]');
CREATE TABLE "jobs deliveries" (
        workflow INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, last INTEGER NOT NULL, due_at INTEGER,
        told INTEGER NOT NULL DEFAULT -1, failures INTEGER NOT NULL DEFAULT 0);
INSERT INTO "jobs deliveries" VALUES(1,1,5,3373512123798426,-1,1);
CREATE TABLE "jobs jobEvent" (
        job INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, position INTEGER,
        PRIMARY KEY (job, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs jobEvent" VALUES(1,0,X'',1795712215793280);
INSERT INTO "jobs jobEvent" VALUES(1,4,X'C3DE643500361B4010ADE9606E98649C6A9A9264686A066C0750D25425D2028ADB2615A0A60C192D545D43BC4DD441E27C52DA56698686869696A6A6BAA686A646BA2689A996BA96E669E6BA4986960646C6A66986C906A04482D2FEC2D5FCC2D9CC01061BA89D83BB714A54C0291918E85AA4A6189919279BA69A199B5B029378AA45526A8A69B2B9A579B2A98181798A6E4A8AB94552B2695A72B2418A696A6AA2AE8101303953A1398B27C9801A70B4AFE0911B76068606A6A6A03ADE00BD7147EB3ADECC045858C0AB78300FA586372254B55254B1262AA4E5038B3D94DA9560A38EAA557BA2424A3EB02E24CD050358A783EA6C58550E8A2CAAD6E428413F5A7B93517BA7591827A61819A5EA9AA61998016B6F60096669696CA09B6A6E6269999C9C6C0A2C9D49ABBD81714CADCE242CAF61E92D8286C3307B8B2051A21B7AE4B48F115D7C62C60DA859B7210D2D80BAFAA0A105333343339830480CFF4802BD061B08D5904AB5C0DAB0B438B5C813E80573E03845623A70C0225AA94229B61600',1795712215797292);
INSERT INTO "jobs jobEvent" VALUES(2,0,X'',1795712215802632);
INSERT INTO "jobs jobEvent" VALUES(2,4,X'C3DE643500361B4010ADE9606E98649C6A9A9264686A066C0750D25425D202C26D137075AB44562B54D7106F33948E4E24A58D64669E666A68926AA96B68686AA96B629E6AA26B616E64A46B91686A996C606A6066626481D18E22B589090C1A507B057723D3D0000C74D069024946C9C040D70CD8594D3532B63449B448363737484B4E4A4C4CB1344CB14C4D32313130B0D44D4B3436344A31374B36B34835313035D13530002654621AAAF81303A8F93522AA673313603E87D7CE601E1D2BE744851C50BB2023BFB43855211FD8AC56485400B6D98A722B158A531315124B14F240F23A0AF999390A0589C08214DCCB46AD48311B81D84A7AAAD6E54939A54545953A0A39F9E50A85C01E7866492579AE1AFE153B4AF37AB43227A3324FB6483437000ED7E9A626191A024BF12463DD44F3444BDD6463730BF36433D364C35453D22A7360FEA156DF12D4D3D447EE68581819585AE803FB19A6681D0D70F371B48789D1BC478C501033EC41CD2A1D6964043452811819818C4B80C4F00F84D06EAC04D45640192E21D41250AAE5AAAE0500',1795712215811027);
INSERT INTO "jobs jobEvent" VALUES(3,0,X'',1795712215810829);
INSERT INTO "jobs jobEvent" VALUES(3,4,X'C3DE643500361B4010ADE9606E98649C6A9A9264686A066C0750D25425D202C26D93729790C4F474603B1DD265C3D9A8A48985A03A1D77438C282B950C0C748D0D2D2DD32C8D528C0DD380619B646296989A986C0CECD5A52626991902A3D8DCD0D0D8C2D4C2CC30CDD0C4C43CC942D7C0001875C434DD10C183D2502164A3522D57752D00',1795712215812864);
INSERT INTO "jobs jobEvent" VALUES(4,0,X'',1795712215909217);
INSERT INTO "jobs jobEvent" VALUES(4,4,X'C3DE643500361B4010ADE9606E98649C6A9A9264686A066C0750D25425D2028ADB2615A0A60C192D545D43BC4DD441E27C52DA566946A986A9469669BA891666C6BA2626A629BA498926C6BAA99669694686468666260666E8ED2F23529BA6C06003B57370374E890A38250303DD2473935473C3C4648B5493D4A4340BF34433E36460C233484E494BB34C324DD34DB14835B648333733024A26A75926EA1A18009333159AB378920CA80147FB0A1EB961676068606A0AAAE30DD01B77B4AEE30D0D8C4C80C505BC9287F2E958CB272AA4E5038B3EF26BD86159D51355C1832AF0D17A7D68D4EB6986E646A9068906BA868926A6BAA6466649BA969689C9BA06C9A9261629E6A6C062D09CD47A7DA02A062CFD72333343B381EE9713AA4C946AB9AA6B01',1795712215963696);
INSERT INTO "jobs jobEvent" VALUES(5,0,X'',1795712216166007);
INSERT INTO "jobs jobEvent" VALUES(6,0,X'',1795712216168801);
INSERT INTO "jobs jobEvent" VALUES(7,0,X'',1795712216168850);
INSERT INTO "jobs jobEvent" VALUES(8,0,X'',1795712216170380);
INSERT INTO "jobs jobEvent" VALUES(8,1,X'8B06D54B2EA939C0C203D494080C750D0535250D80105C7B4329484D6E60A09B646E6162686C9C68906C660AACF7522D2D2C124D4CD34C2D2D0C8C2D2DCC0C750DCD530D53924D0D2D138D8C0C2C53CD750D0C80D654D7021100',1795712216172201);
INSERT INTO "jobs jobEvent" VALUES(9,0,X'',1795712216174025);
CREATE TABLE "jobs leaves" (
        epoch INTEGER NOT NULL, leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL,
        job TEXT NOT NULL, PRIMARY KEY (epoch, leaf, born, submission, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs leaves" VALUES(1,'03517b531670bfdaabdc65f7eeed1317',3373512120000000,'f6a94dbd-d328-49cc-96d0-a8147d2a3bad','f83ad22e-5f06-4c7d-9930-e7499ccc5119');
INSERT INTO "jobs leaves" VALUES(1,'15a8ce87375302c4cb9de8a869247ddf',3373512120000000,'f6a94dbd-d328-49cc-96d0-a8147d2a3bad','f83ad22e-5f06-4c7d-9930-e7499ccc5119');
CREATE TABLE "jobs places" (
        workflow INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (workflow, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs places" VALUES(1,4);
INSERT INTO "jobs places" VALUES(2,9);
CREATE TABLE "jobs requests" (job INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO "jobs requests" VALUES(1,'{"trace_id":"00-8ed263c5e6379234e8bed5c797c5007d-dd78bc5fcc0d5eea-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":2},"properties":{"userId":7,"tags":["x"]},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(2,'{"trace_id":"00-6692e2394a8c770fcbaad91d9eb44009-fa312d76c68e4054-00","timeout":600000000,"max_retry_attempt":5,"request":{"params":{"workflow":{"CheckpointLoaderSimple":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"sd1/civitai/4384/128713.safetensors"},"_meta":{}},"EmptyLatentImage":{"class_type":"EmptyLatentImage","inputs":{"width":64,"height":64,"batch_size":1},"_meta":{}},"CLIPTextEncode":{"class_type":"CLIPTextEncode","inputs":{"text":"a lighthouse over a stormy sea at night, oil painting","clip":["CLIPSetLastLayer",0]},"_meta":{}},"CLIPTextEncode_1":{"class_type":"CLIPTextEncode","inputs":{"text":"blurry, low quality","clip":["CLIPSetLastLayer",0]},"_meta":{}},"KSampler":{"class_type":"KSampler","inputs":{"sampler_name":"euler_ancestral","scheduler":"normal","seed":1234567890,"steps":20,"cfg":7,"denoise":1,"latent_image":["EmptyLatentImage",0],"model":["LoraLoader",0],"positive":["CLIPTextEncode",0],"negative":["CLIPTextEncode_1",0]},"_meta":{}},"VAEDecode":{"class_type":"VAEDecode","inputs":{"samples":["KSampler",0],"vae":["CheckpointLoaderSimple",2]},"_meta":{}},"SaveImage":{"class_type":"SaveImage","inputs":{"filename_prefix":"c8a70639-eb11-47b3-a7a9-c3787c65c1e5","images":["VAEDecode",0]},"_meta":{}},"LoraLoader":{"class_type":"LoraLoader","inputs":{"lora_name":"lora/sd1/civitai/82098/87153.safetensors","strength_model":0.8,"strength_clip":0.8,"model":["CheckpointLoaderSimple",0],"clip":["CheckpointLoaderSimple",1]},"_meta":{}},"CLIPSetLastLayer":{"class_type":"CLIPSetLastLayer","inputs":{"stop_at_clip_layer":-2,"clip":["LoraLoader",1]},"_meta":{}}}},"files":{}},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(3,'{"trace_id":"00-3199f92d31fdb1b46aeac3186eab6101-711385861f1447b8-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"wd-v1-4-vit-tagger-v2","mediaUrl":"https://example.com/a.png","threshold":0.5},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(4,'{"trace_id":"00-b74e71ac8e4ebf87a63cdb10cdff9b5f-d8e38f762f87cf9a-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064203000",0,0,0]}');
INSERT INTO "jobs requests" VALUES(5,'{"trace_id":"00-9b88dd6c2d5b42282ec0249f1b3b9d11-b96b6cadbe20bb24-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"callback_url":"http://127.0.0.1:9/hook?jobId=1"}');
INSERT INTO "jobs requests" VALUES(6,'{"trace_id":"00-2c8e0a556abe670d19eb4b3fc902ea34-f232aa73cb74cd31-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"a"}');
INSERT INTO "jobs requests" VALUES(7,'{"trace_id":"00-2c8e0a556abe670d19eb4b3fc902ea34-f232aa73cb74cd31-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"b","dependencies":["6ab64af6-518f-4482-b3ed-0ef05ce0266d"]}');
INSERT INTO "jobs requests" VALUES(8,'{"trace_id":"00-b784133a0c65acee988a45f598039861-17e1dc519a2209e7-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(9,'{"trace_id":"00-7a5900b65be81ed704dc7a7370f22e70-6230764cebcfdac4-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064206000",0,0,0]}');
CREATE TABLE "jobs tags" (
        epoch INTEGER NOT NULL, owner TEXT NOT NULL, tag TEXT NOT NULL, born INTEGER NOT NULL,
        workflow TEXT NOT NULL, PRIMARY KEY (epoch, owner, tag, born, workflow)) WITHOUT ROWID
    ;
INSERT INTO "jobs tags" VALUES(1,'civitai-1','a',3373512123000000,'1-20761125064203000');
INSERT INTO "jobs tags" VALUES(1,'civitai-1','b',3373512123000000,'1-20761125064203000');
INSERT INTO "jobs tags" VALUES(1,'civitai-1','b',3373512126000000,'1-20761125064206000');
CREATE TABLE "jobs texts" (job INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE "jobs workflows" (
        number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, external_id TEXT,
        created_at INTEGER NOT NULL, keep_until INTEGER NOT NULL, version INTEGER NOT NULL,
        is_over INTEGER NOT NULL, is_listed INTEGER NOT NULL, has_failed INTEGER NOT NULL, is_deleted INTEGER NOT NULL,
        blue INTEGER NOT NULL, green INTEGER NOT NULL, yellow INTEGER NOT NULL, fake_red INTEGER NOT NULL,
        search TEXT, body TEXT NOT NULL, UNIQUE (epoch, id));
INSERT INTO "jobs workflows" VALUES(1,1,'1-20761125064203000','civitai-1','one',3373512123000000,3376104123000000,3,1,1,0,0,8,0,0,0,'who
a fox','{"id":"1-20761125064203000","owner":"civitai-1","trace_id":"00-b74e71ac8e4ebf87a63cdb10cdff9b5f-d8e38f762f87cf9a-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:03+00:00","keep_until":"2076-12-25T06:42:03+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":4214600934,"jobs":["f172e0a0-1a45-526b-99ac-0ce48d75e717"],"ready_at":"2076-11-25T06:42:03+00:00"}],"callbacks":[["http://127.0.0.1:9/hook?workflow=1",["workflow:*","step:*"],false]],"external_id":"one","tags":["a","b"],"metadata":{"who":"a fox"},"allow_mature_content":false,"transactions":[["debit",8,"blue","3bd4e4d4-f358-5997-8be8-9e1d7baa093f"]],"memo":["succeeded","2076-11-25T06:42:03+00:00","2076-11-25T06:42:03+00:00","pg",[]]}');
INSERT INTO "jobs workflows" VALUES(2,1,'1-20761125064206000','civitai-1','two',3373512126000000,3376104126000000,2,0,1,0,0,8,0,0,0,NULL,'{"id":"1-20761125064206000","owner":"civitai-1","trace_id":"00-7a5900b65be81ed704dc7a7370f22e70-6230764cebcfdac4-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:06+00:00","keep_until":"2076-12-25T06:42:06+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":3256795341,"jobs":["d0dff223-d73d-51f9-9063-b750c77656da"],"ready_at":"2076-11-25T06:42:06+00:00"}],"external_id":"two","tags":["b"],"allow_mature_content":false,"transactions":[["debit",8,"blue","b7c05d46-c694-5cef-b462-ce94063d1c66"]]}');
CREATE TABLE leases (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID
    ;
CREATE TABLE namespaces (
        name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, changed INTEGER NOT NULL, used_at INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL, document TEXT NOT NULL) WITHOUT ROWID
    ;
INSERT INTO "namespaces" VALUES('',0,0,0,0,'{}');
INSERT INTO "namespaces" VALUES('default',1,0,0,0,'{}');
CREATE TABLE processes (
        id TEXT PRIMARY KEY, revision INTEGER NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID
    ;
CREATE TABLE "resources" (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, source TEXT NOT NULL, version TEXT, id TEXT NOT NULL,
        identity TEXT NOT NULL, search TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (epoch, key));
INSERT INTO "resources" VALUES(0,'urn:air:sd1:checkpoint:civitai:4384@128713','civitai','128713','4384','@civitai/128713','urn:air:sd1:checkpoint:civitai:4384@128713
dreamshaper
dreamshaper
8
base model
art style','{"air":{"source":"civitai","id":"4384","ecosystem":"sd1","type":"checkpoint","version":"128713","format":null},"fields":{"size":2132625894,"hashes":{"AutoV2":"879DB523C3","SHA256":"879DB523C30D3B9017143D56705015E15A2CB5628762C11D086FED9538ABD7FD"},"downloadUrls":["https://civitai.com/api/download/models/128713"],"modelName":"DreamShaper","resourceName":"DreamShaper","versionName":"8","tags":["base model","art style"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:checkpoint:civitai:4201@130072','civitai','130072','4201','@civitai/130072','urn:air:sd1:checkpoint:civitai:4201@130072
realistic vision v6.0 b1
realistic vision v6.0 b1
v5.1 (vae)
base model
photorealistic','{"air":{"source":"civitai","id":"4201","ecosystem":"sd1","type":"checkpoint","version":"130072","format":null},"fields":{"size":0,"hashes":{"AutoV2":"15012C538F"},"downloadUrls":["https://civitai.com/api/download/models/130072"],"modelName":"Realistic Vision V6.0 B1","resourceName":"Realistic Vision V6.0 B1","versionName":"V5.1 (VAE)","tags":["base model","photorealistic"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:lora:civitai:82098@87153','civitai','87153','82098','@civitai/87153','urn:air:sd1:lora:civitai:82098@87153
add more details - detail enhancer / tweaker (细节调整) lora
add more details - detail enhancer / tweaker (细节调整) lora
v1.0
detail','{"air":{"source":"civitai","id":"82098","ecosystem":"sd1","type":"lora","version":"87153","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/87153"],"modelName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","resourceName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:embedding:civitai:7808@9208','civitai','9208','7808','@civitai/9208','urn:air:sd1:embedding:civitai:7808@9208
easynegative
easynegative
easynegative
negative','{"air":{"source":"civitai","id":"7808","ecosystem":"sd1","type":"embedding","version":"9208","format":null},"fields":{"size":0,"hashes":{"AutoV2":"C74B4E810B","SHA256":"C74B4E810B030F6B75FDE959E2DB678C268D07115B85356D3C0138BA5EB42340"},"downloadUrls":["https://civitai.com/api/download/models/9208"],"modelName":"EasyNegative","resourceName":"EasyNegative","versionName":"EasyNegative","trainedWords":["easynegative"],"tags":["negative"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:vae:civitai:276082@311162','civitai','311162','276082','@civitai/311162','urn:air:sd1:vae:civitai:276082@311162
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840k
vae','{"air":{"source":"civitai","id":"276082","ecosystem":"sd1","type":"vae","version":"311162","format":null},"fields":{"size":334641190,"hashes":{"AutoV2":"735E4C3A44","SHA256":"735E4C3A447A3255760D7F86845F09F937809BAA529C17370D83E4C3758F3C75"},"downloadUrls":["https://civitai.com/api/download/models/311162"],"modelName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","resourceName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","versionName":"vae-ft-mse-840k","tags":["vae"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sdxl:checkpoint:civitai:101055@128078','civitai','128078','101055','@civitai/128078','urn:air:sdxl:checkpoint:civitai:101055@128078
sd xl
sd xl
v1.0 vae fix','{"air":{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"fields":{"size":6938078208,"hashes":{"AutoV1":"BE9EDD61","CRC32":"9B4D991F","AutoV2":"E6BB9EA85B","BLAKE3":"D4B89247EE54185BA1DCC1ACC0BB2E1A2E9333D7F53CE651A19B8B76CB520A95","SHA256":"E6BB9EA85BBF7BF6478A7C6D18B71246F22E95D41BCDD80ED40AA212C33CFEFF"},"downloadUrls":["https://civitai.com/api/download/models/128078"],"modelName":"SD XL","resourceName":"SD XL","versionName":"v1.0 VAE fix","checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.7,"isFeatured":false,"publishedAt":"2023-07-29T15:09:06.388Z","hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sdxl:lora:civitai:122359@135867','civitai','135867','122359','@civitai/135867','urn:air:sdxl:lora:civitai:122359@135867
detail tweaker xl
detail tweaker xl
v1.0
detail','{"air":{"source":"civitai","id":"122359","ecosystem":"sdxl","type":"lora","version":"135867","format":null},"fields":{"size":0,"hashes":{"AutoV2":"0D9BD1B873","SHA256":"0D9BD1B873A7863E128B4672E3E245838858F71469A3CEC58123C16C06F83BD7"},"downloadUrls":["https://civitai.com/api/download/models/135867"],"modelName":"Detail Tweaker XL","resourceName":"Detail Tweaker XL","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:pony:checkpoint:civitai:257749@290640','civitai','290640','257749','@civitai/290640','urn:air:pony:checkpoint:civitai:257749@290640
pony diffusion v6 xl
pony diffusion v6 xl
v6 (start with this one)
base model','{"air":{"source":"civitai","id":"257749","ecosystem":"pony","type":"checkpoint","version":"290640","format":null},"fields":{"size":6938041050,"hashes":{"AutoV2":"67AB2FD8EC","SHA256":"67AB2FD8EC439A89B3FEDB15CC65F54336AF163C7EB5E4F2ACC98F090A29B0B3"},"downloadUrls":["https://civitai.com/api/download/models/290640"],"modelName":"Pony Diffusion V6 XL","resourceName":"Pony Diffusion V6 XL","versionName":"V6 (start with this one)","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:illustrious:checkpoint:civitai:795765@889818','civitai','889818','795765','@civitai/889818','urn:air:illustrious:checkpoint:civitai:795765@889818
illustrious-xl
illustrious-xl
v0.1
base model
anime','{"air":{"source":"civitai","id":"795765","ecosystem":"illustrious","type":"checkpoint","version":"889818","format":null},"fields":{"size":6938040760,"hashes":{"AutoV2":"3E15BA0038","SHA256":"3E15BA00387DB678AB4A099F75771C4F5AC67FDA9E7100A01D263EAF30145AA9"},"downloadUrls":["https://civitai.com/api/download/models/889818"],"modelName":"Illustrious-XL","resourceName":"Illustrious-XL","versionName":"v0.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:noobai:checkpoint:civitai:833294@1116447','civitai','1116447','833294','@civitai/1116447','urn:air:noobai:checkpoint:civitai:833294@1116447
noobai-xl (nai-xl)
noobai-xl (nai-xl)
epsilon-pred 1.1
base model
anime','{"air":{"source":"civitai","id":"833294","ecosystem":"noobai","type":"checkpoint","version":"1116447","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/1116447"],"modelName":"NoobAI-XL (NAI-XL)","resourceName":"NoobAI-XL (NAI-XL)","versionName":"Epsilon-pred 1.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:flux1:checkpoint:civitai:618692@691639','civitai','691639','618692','@civitai/691639','urn:air:flux1:checkpoint:civitai:618692@691639
flux
flux
dev
base model','{"air":{"source":"civitai","id":"618692","ecosystem":"flux1","type":"checkpoint","version":"691639","format":null},"fields":{"size":23802932552,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/691639"],"modelName":"FLUX","resourceName":"FLUX","versionName":"Dev","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:flux1:lora:civitai:233497@937698','civitai','937698','233497','@civitai/937698','urn:air:flux1:lora:civitai:233497@937698
frozen anna elsa -dall-e 3
frozen anna elsa -dall-e 3
flux_v1','{"air":{"source":"civitai","id":"233497","ecosystem":"flux1","type":"lora","version":"937698","format":null},"fields":{"size":306429952,"hashes":{"AutoV1":"C87E3019","AutoV2":"89D939E4D4","CRC32":"59CB7285","SHA256":"89D939E4D444A6E3FB63097A947E1276C93A4717AE696673D6106CDBE1DD529D","BLAKE3":"DCF1EA67915737E3B0F41EB3A66A10CC5C3C2E73579919AFCAF738A1C9903982","AutoV3":"3F34446EC06E"},"downloadUrls":["https://civitai.com/api/download/models/937698"],"modelName":"Frozen anna elsa -Dall-E 3","resourceName":"Frozen anna elsa -Dall-E 3","versionName":"Flux_V1","checkPermission":false,"canGenerate":true,"requiresAuthorization":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.9,"isFeatured":false,"publishedAt":"2024-10-09T11:54:46.826Z","hasNSFWContentRestriction":false}}');
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
INSERT INTO "secrets" VALUES('blob-urls',X'E277A95324304ED2B16FE8A99792CA6FE965478812269430665AC61B89A1447E');
CREATE INDEX "jobs to claim" ON "jobs" (epoch, priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND moved_by IS NOT 'REQUESTS'
    ;
CREATE INDEX "jobs to claim by time" ON "jobs" (epoch, priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND moved_by = 'TIME'
    ;
CREATE INDEX "jobs by worker" ON "jobs" (epoch, worker_id)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by lease" ON "jobs" (epoch, lease_until)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by deadline" ON "jobs" (epoch, expire_at) WHERE outcome IS NULL;
CREATE INDEX "jobs that wait" ON "jobs" (epoch, id) WHERE waits = 1;
CREATE INDEX "jobs by age" ON "jobs" (epoch, created_at, submission_id, id, type);
CREATE INDEX "jobs by consumer" ON "jobs"
    (epoch, issued_by, created_at, submission_id, id, type)
    ;
CREATE INDEX "jobs by charge" ON "jobs" (epoch, issued_by, cost, charged, outcome)
    WHERE charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
    ;
CREATE INDEX "jobs by end" ON "jobs" (epoch, changed_at) WHERE outcome IS NOT NULL;
CREATE INDEX "jobs to tell of" ON "jobs" (epoch, callback_due_at, id)
    WHERE callback_due_at IS NOT NULL
    ;
CREATE INDEX "jobs to sweep" ON "jobs" (epoch, keep_until);
CREATE UNIQUE INDEX "jobs jobEvent by position" ON "jobs jobEvent" (position)
    WHERE position IS NOT NULL
    ;
CREATE UNIQUE INDEX "jobs workflows by external id" ON "jobs workflows"
    (epoch, owner, external_id) WHERE external_id IS NOT NULL
    ;
CREATE INDEX "jobs workflows by age" ON "jobs workflows"
    (epoch, owner, created_at, id, has_failed) WHERE is_listed = 1
    ;
CREATE INDEX "jobs workflows that run" ON "jobs workflows" (epoch, id)
    WHERE is_over = 0 AND is_deleted = 0
    ;
CREATE INDEX "jobs workflows by charge" ON "jobs workflows"
    (epoch, owner, blue, green, yellow, fake_red)
    ;
CREATE INDEX "jobs workflows to sweep" ON "jobs workflows" (epoch, keep_until);
CREATE INDEX "jobs to announce" ON "jobs deliveries" (epoch, due_at)
    WHERE due_at IS NOT NULL
    ;
CREATE INDEX "resources by version" ON "resources" (epoch, source, version, key);
CREATE INDEX "resources by model" ON "resources" (epoch, source, id, key);
CREATE INDEX "resources by identity" ON "resources" (epoch, identity);
CREATE INDEX [blobs to sweep] ON blobs (epoch, keep_until);
CREATE INDEX [namespaces by change] ON namespaces (changed);
CREATE INDEX [namespaces by use] ON namespaces (used_at) WHERE is_deleted = 0;
CREATE INDEX [namespaces that are deleted] ON namespaces (changed) WHERE is_deleted = 1;
CREATE INDEX [leases by end] ON leases (until);
COMMIT;
PRAGMA user_version = 10;
